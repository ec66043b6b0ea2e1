//! PINs and passwords that commands set: kept before the command can leave, confirmed by the answer, hidden by no failure.

use domain::{
    DeviceSecret::{ErasePin, FirmwarePassword, LockPin, RecoveryLockPassword},
    SecretStanding::{Confirmed, Refused, TakenBack, Unanswered, Waiting},
};
use serde_json::{Value, json};
use simulator::apple_device::DeviceModel;
use testkit::{
    on_both,
    server::{Device, TestServer},
};

use super::{done, list, revealed, send, told};

fn lock(pin: &str) -> Value {
    json!({ "RequestType": "DeviceLock", "PIN": pin })
}

fn recovery_lock(new: &str, current: &str) -> Value {
    json!({ "RequestType": "SetRecoveryLock", "NewPassword": new, "CurrentPassword": current })
}

fn firmware(new: &str, current: &str) -> Value {
    json!({ "RequestType": "SetFirmwarePassword", "NewPassword": new, "CurrentPassword": current })
}

/// The command with its secret is sealed, and the secret in escrow, while it waits.
async fn is_kept(server: &TestServer, device: &Device, id: domain::CommandId, secret: &str) {
    let stored = server.command(device, id).await;
    assert!(stored.sealed && stored.handed_over_at.is_none());
    assert!(!String::from_utf8_lossy(&stored.payload).contains(secret));
}

on_both!(a_lock_that_failed_hides_the_pin_of_no_other);
async fn a_lock_that_failed_hides_the_pin_of_no_other(server: TestServer) {
    let mut mac = server.enrolled_mac().await;
    done(&server, &mut mac, lock("111111")).await;
    mac.fail_next(vec![]);
    done(&server, &mut mac, lock("222222")).await;
    let found = revealed(&server, &mac, LockPin).await;
    assert_eq!(list(&found), told([("111111", Confirmed), ("222222", Refused)]));
    let pin = server.mdm().reveal_pin(&server.owner(), mac.id()).await.unwrap();
    assert_eq!((pin.pin.as_str(), pin.revealed.others.len()), ("111111", 1));

    done(&server, &mut mac, lock("333333")).await;
    assert_eq!(list(&revealed(&server, &mac, LockPin).await), told([("333333", Confirmed)]));
}

on_both!(a_pin_is_told_with_how_far_its_lock_got);
/// 36
async fn a_pin_is_told_with_how_far_its_lock_got(server: TestServer) {
    let mut mac = server.enrolled_mac().await;
    let first = async || list(&revealed(&server, &mac, LockPin).await);
    let id = send(&server, &mac, lock("111111")).await;
    is_kept(&server, &mac, id, "111111").await;
    assert_eq!(first().await, told([("111111", Waiting)]));
    assert_eq!(mac.idle().await, Ok(Some("DeviceLock")));
    assert_eq!(list(&revealed(&server, &mac, LockPin).await), told([("111111", Unanswered)]));
    assert_eq!(mac.not_now().await, Ok(None));
    assert_eq!(list(&revealed(&server, &mac, LockPin).await), told([("111111", Waiting)]));
    mac.connect().await.unwrap();
    assert_eq!(list(&revealed(&server, &mac, LockPin).await), told([("111111", Confirmed)]));

    send(&server, &mac, lock("222222")).await;
    assert_eq!(mac.idle().await, Ok(Some("DeviceLock")));
    let both = told([("111111", Confirmed), ("222222", Unanswered)]);
    assert_eq!(list(&revealed(&server, &mac, LockPin).await), both, "the Mac may have either");
    mac.answer().await.unwrap();
}

on_both!(a_pin_that_never_left_is_told_as_such);
async fn a_pin_that_never_left_is_told_as_such(server: TestServer) {
    let mac = server.enrolled_mac().await;
    let id = send(&server, &mac, lock("111111")).await;
    server.mdm().cancel_command(&server.owner(), id).await.unwrap();
    assert_eq!(list(&revealed(&server, &mac, LockPin).await), told([("111111", TakenBack)]));
}

on_both!(a_recovery_lock_password_is_confirmed_by_the_answer_alone);
/// 48: stored before it is sent, confirmed only when it is acknowledged; a failure overwrites none.
async fn a_recovery_lock_password_is_confirmed_by_the_answer_alone(server: TestServer) {
    let mut mac = server.enrolled_mac().await;
    let id = send(&server, &mac, recovery_lock("correct horse", "")).await;
    is_kept(&server, &mac, id, "correct horse").await;
    assert_eq!(
        list(&revealed(&server, &mac, RecoveryLockPassword).await),
        told([("correct horse", Waiting)])
    );
    mac.connect().await.unwrap();
    server.settled().await;
    assert_eq!(mac.model().secrets.recovery_lock.as_deref(), Some("correct horse"));
    assert_eq!(
        list(&revealed(&server, &mac, RecoveryLockPassword).await),
        told([("correct horse", Confirmed)])
    );

    done(&server, &mut mac, recovery_lock("battery staple", "wrong")).await;
    assert_eq!(mac.model().secrets.recovery_lock.as_deref(), Some("correct horse"));
    let both = told([("correct horse", Confirmed), ("battery staple", Refused)]);
    assert_eq!(list(&revealed(&server, &mac, RecoveryLockPassword).await), both);

    done(&server, &mut mac, recovery_lock("battery staple", "correct horse")).await;
    let found = revealed(&server, &mac, RecoveryLockPassword).await;
    assert_eq!(list(&found), told([("battery staple", Confirmed)]));
    done(&server, &mut mac, recovery_lock("", "battery staple")).await;
    assert_eq!(mac.model().secrets.recovery_lock, None);
    let found = revealed(&server, &mac, RecoveryLockPassword).await;
    assert_eq!(list(&found), told([("", Confirmed)]), "an empty one takes it away");
}

on_both!(a_firmware_password_that_did_not_change_is_not_the_one);
/// The answer is nested one level deep, and acknowledges what was not done as well.
async fn a_firmware_password_that_did_not_change_is_not_the_one(server: TestServer) {
    let mut mac = server.enrolled(DeviceModel::intel_mac(server.seed())).await;
    let id = send(&server, &mac, firmware("correct horse", "")).await;
    is_kept(&server, &mac, id, "correct horse").await;
    mac.connect().await.unwrap();
    server.settled().await;
    let id = done(&server, &mut mac, firmware("battery staple", "wrong")).await;
    assert_eq!(server.command(&mac, id).await.state, domain::CommandState::Acknowledged);
    assert_eq!(mac.model().secrets.firmware_password.as_deref(), Some("correct horse"));
    let both = told([("correct horse", Confirmed), ("battery staple", Refused)]);
    assert_eq!(list(&revealed(&server, &mac, FirmwarePassword).await), both);
}

on_both!(the_pin_of_a_mac_that_was_erased_without_a_word_is_confirmed_when_it_comes_back);
/// 38: the answer comes once or never, so that a missing one does not mean that nothing was erased.
async fn the_pin_of_a_mac_that_was_erased_without_a_word_is_confirmed_when_it_comes_back(server: TestServer) {
    let mut mac = server.enrolled_mac().await;
    let enrollment =
        server.mdm().reveal(&server.owner(), mac.id(), domain::DeviceSecret::BootstrapToken).await;
    let enrollment = enrollment.unwrap().enrollment;
    let erase = json!({ "RequestType": "EraseDevice", "PIN": "314159" });
    let id = send(&server, &mac, erase).await;
    is_kept(&server, &mac, id, "314159").await;
    mac.erase_before_answering(true);
    mac.connect().await.unwrap();
    assert!(mac.is_erased());
    let found = revealed(&server, &mac, ErasePin).await;
    assert!(list(&found) == told([("314159", Unanswered)]) && found.is_current);

    mac.re_enroll(Some(&server.link().await)).await.unwrap();
    server.settled().await;
    let found = revealed(&server, &mac, ErasePin).await;
    assert_eq!(list(&found), told([("314159", Confirmed)]));
    assert_eq!((found.is_current, found.enrollment), (false, enrollment), "it is of the archive by now");
}

on_both!(an_erasure_that_failed_keeps_its_pin_within_reach);
/// 39: a Mac may answer with an error, and erase itself all the same.
async fn an_erasure_that_failed_keeps_its_pin_within_reach(server: TestServer) {
    let mut mac = server.enrolled_mac().await;
    mac.fail_next(vec![]);
    done(&server, &mut mac, json!({ "RequestType": "EraseDevice", "PIN": "314159" })).await;
    let found = revealed(&server, &mac, ErasePin).await;
    assert_eq!(list(&found), told([("314159", Refused)]));
}
