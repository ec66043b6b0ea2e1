//! What an administrator decides about a device in quarantine.

use std::time::Duration;

use domain::{DeviceId, Error, Thing};
use testkit::{
    on_both,
    server::{Device, TestServer},
};

use super::{claimant, quarantined, record};
use crate::{
    check_in::{count, tokens::enrollment},
    speaker::{Reply, Speaker},
};

on_both!(a_device_that_is_approved_takes_the_record_over);
async fn a_device_that_is_approved_takes_the_record_over(server: TestServer) {
    let iphone = server.enrolled_iphone().await;
    server.lock(&iphone).await;
    let mut claimant = claimant(&server, &iphone, server.link().await).await;
    claimant.token_update().await.unwrap();
    let waiting = quarantined(&server).await.unwrap();
    let approved = server.mdm().approve_device(&server.owner(), waiting.id).await.unwrap();
    assert_eq!(approved, iphone.id(), "the clientid stays");
    assert_eq!(count(&server).await, 1);

    let done: Vec<_> = claimant.connect().await.unwrap().into_iter().map(|done| done.request_type).collect();
    assert_eq!(
        done,
        ["DeviceInformation", "SecurityInfo", "DeclarativeManagement"],
        "and nothing of the old queue"
    );
    let old = Speaker::new(&server, iphone.credential().clone(), iphone.model().udid.clone());
    assert_eq!(old.idle().await, Reply::refused(403));
    server.pushed().await;
    let woken = claimant.push_address().token.clone();
    assert!(server.apns().pushes().iter().any(|push| push.token == woken && push.status == 200));
    assert_eq!(server.count_events("device.approved").await, 1);
}

on_both!(a_device_that_is_approved_after_the_other_left_takes_its_record_over_too);
async fn a_device_that_is_approved_after_the_other_left_takes_its_record_over_too(server: TestServer) {
    let mut iphone = server.enrolled_iphone().await;
    let mut claimant = claimant(&server, &iphone, server.link().await).await;
    claimant.token_update().await.unwrap();
    iphone.check_out().await.unwrap();
    let waiting = quarantined(&server).await.unwrap();
    assert_eq!(server.mdm().approve_device(&server.owner(), waiting.id).await.unwrap(), iphone.id());
    assert!(record(&server, &iphone).await.managed);
    assert_eq!(claimant.idle().await, Ok(Some("DeviceInformation")));
}

on_both!(a_device_that_is_rejected_is_out);
async fn a_device_that_is_rejected_is_out(server: TestServer) {
    let mut iphone = server.enrolled_iphone().await;
    let before = enrollment(&server, &iphone).await;
    let mut claimant = claimant(&server, &iphone, server.link().await).await;
    claimant.token_update().await.unwrap();
    let waiting = quarantined(&server).await.unwrap();
    server.mdm().reject_device(&server.owner(), waiting.id).await.unwrap();
    assert_eq!(count(&server).await, 1);

    let rejected = Speaker::new(&server, claimant.credential().clone(), iphone.model().udid.clone());
    for reply in [rejected.idle().await, rejected.token_update().await, rejected.authenticate().await] {
        assert_eq!(reply, Reply::refused(403), "refused, and not unenrolled");
    }
    assert_eq!(enrollment(&server, &iphone).await, before);
    assert_eq!(iphone.idle().await, Ok(None));
    assert_eq!(server.count_events("device.rejected").await, 1);
}

on_both!(a_device_that_left_quarantine_by_itself_cannot_be_approved);
async fn a_device_that_left_quarantine_by_itself_cannot_be_approved(server: TestServer) {
    let mut iphone = server.enrolled_iphone().await;
    let mut claimant = claimant(&server, &iphone, server.link().await).await;
    claimant.token_update().await.unwrap();
    let waiting = quarantined(&server).await.unwrap();
    claimant.check_out().await.unwrap();
    assert_eq!(quarantined(&server).await, None);
    let refused = server.mdm().approve_device(&server.owner(), waiting.id).await;
    assert!(matches!(refused, Err(Error::NotFound(Thing::Device))), "{refused:?}");
    assert_eq!(iphone.idle().await, Ok(None), "the live one goes on");
}

on_both!(a_device_in_quarantine_may_say_everything_again);
async fn a_device_in_quarantine_may_say_everything_again(server: TestServer) {
    let iphone = server.enrolled_iphone().await;
    let mut claimant = claimant(&server, &iphone, server.link().await).await;
    claimant.token_update().await.unwrap();
    claimant.authenticate().await.unwrap();
    claimant.rotate_push_address().await.unwrap();
    let waiting = quarantined(&server).await.expect("it is there still");
    let approved = server.mdm().approve_device(&server.owner(), waiting.id).await.unwrap();
    assert_eq!(approved, iphone.id());
    server.pushed().await;
    let newest = claimant.push_address().token.clone();
    assert_eq!(server.apns().pushes().last().unwrap().token, newest, "its last token is the one that counts");
}

on_both!(only_a_device_in_quarantine_is_approved_or_rejected);
async fn only_a_device_in_quarantine_is_approved_or_rejected(server: TestServer) {
    let mut iphone = server.enrolled_iphone().await;
    let not_found = |error: Error| matches!(error, Error::NotFound(Thing::Device));
    assert!(not_found(server.mdm().approve_device(&server.owner(), iphone.id()).await.unwrap_err()));
    assert!(not_found(server.mdm().reject_device(&server.owner(), iphone.id()).await.unwrap_err()));
    assert_eq!(iphone.idle().await, Ok(None));
}

/// 17, 20: what its channels said in quarantine counts once it is approved.
mod what_was_said_meanwhile {
    use apple::{CheckIn, Identifiers, Report, TokenUpdate};
    use simulator::apple_device::AppleDevice;

    use super::*;

    const EVERYBODY: &str = "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF";
    const ANNA: &str = "anna@example.com";

    async fn says(device: &mut AppleDevice, user: Option<&str>, awaits: Option<bool>) -> Identifiers {
        let ids = Identifiers {
            user_id: user.map(|_| EVERYBODY.to_owned()),
            user_short_name: user.map(str::to_owned),
            ..device.model().identifiers()
        };
        let mut message = TokenUpdate { awaiting_configuration: awaits, ..device.token_update_message() };
        message.ids = ids.clone();
        if user.is_some() {
            (message.token, message.unlock_token) = (vec![9; 32], None);
        }
        device.check_in(&CheckIn::TokenUpdate(message)).await.unwrap();
        ids
    }

    async fn handed_over(device: &mut AppleDevice) -> Vec<String> {
        device.connect().await.unwrap().into_iter().map(|done| done.request_type).collect()
    }

    on_both!(who_waits_in_setup_assistant_is_let_go_on);
    async fn who_waits_in_setup_assistant_is_let_go_on(server: TestServer) {
        let ipad = server.enrolled_ipad().await;
        let mut claimant = claimant(&server, &ipad, server.link().await).await;
        says(&mut claimant, None, Some(true)).await;
        // Left out, it does not take back what was said.
        says(&mut claimant, None, None).await;
        assert_eq!(claimant.idle().await, Ok(None), "nothing before it is approved");
        let waiting = quarantined(&server).await.unwrap();
        server.mdm().approve_device(&server.owner(), waiting.id).await.unwrap();
        let handed = handed_over(&mut claimant).await;
        assert_eq!(handed.iter().filter(|name| *name == "DeviceConfigured").count(), 1, "{handed:?}");
    }

    on_both!(who_waits_no_longer_is_told_nothing);
    async fn who_waits_no_longer_is_told_nothing(server: TestServer) {
        let ipad = server.enrolled_ipad().await;
        let mut claimant = claimant(&server, &ipad, server.link().await).await;
        for awaits in [true, false] {
            says(&mut claimant, None, Some(awaits)).await;
        }
        let waiting = quarantined(&server).await.unwrap();
        server.mdm().approve_device(&server.owner(), waiting.id).await.unwrap();
        let handed = handed_over(&mut claimant).await;
        assert!(!handed.contains(&"DeviceConfigured".to_owned()), "{handed:?}");
    }

    on_both!(its_users_are_there_when_it_is_approved);
    async fn its_users_are_there_when_it_is_approved(server: TestServer) {
        for holder_is_gone in [false, true] {
            let mut first = server.enrolled_ipad().await;
            let mut claimant = claimant(&server, &first, server.link().await).await;
            says(&mut claimant, None, None).await;
            let ids = says(&mut claimant, Some(ANNA), Some(true)).await;
            if holder_is_gone {
                first.check_out().await.unwrap();
            }
            let waiting = quarantined(&server).await.unwrap();
            let id = server.mdm().approve_device(&server.owner(), waiting.id).await.unwrap();
            assert_eq!(id, first.id());
            let users = server.mdm().diagnose(&server.owner(), id).await.unwrap().users;
            assert_eq!((users.len(), users[0].key.0.as_str(), users[0].awaits), (1, ANNA, false));
            assert_eq!(users[0].user_name.as_deref(), Some(ANNA));
            let handed =
                claimant.poll(&Report::idle(ids.clone())).await.unwrap().expect("a command for Anna");
            assert_eq!(handed.request_type, "UserConfigured");
            let done = Report::acknowledged(ids, &handed.command_uuid.clone());
            assert_eq!(claimant.poll(&done).await.unwrap(), None);
            server.until(async |server| server.apns().pushes().iter().any(|it| it.token == [9; 32])).await;
        }
    }

    on_both!(its_token_of_a_later_day_is_the_one_that_counts);
    /// 13: in quarantine as everywhere.
    async fn its_token_of_a_later_day_is_the_one_that_counts(server: TestServer) {
        let iphone = server.enrolled_iphone().await;
        let mut claimant = claimant(&server, &iphone, server.link().await).await;
        claimant.token_update().await.unwrap();
        claimant.rotate_push_address().await.unwrap();
        let waiting = quarantined(&server).await.unwrap();
        let id = server.mdm().approve_device(&server.owner(), waiting.id).await.unwrap();
        let secret = server.mdm().reveal(&server.owner(), id, domain::DeviceSecret::UnlockToken).await;
        assert_eq!(secret.ok().map(|it| it.value), claimant.push_address().unlock_token);
    }
}

/// A claimant's record, in quarantine, that sorts behind the one of `device`.
async fn quarantined_behind(server: &TestServer, device: &Device) -> DeviceId {
    loop {
        let mut claimant = claimant(server, device, server.link().await).await;
        claimant.token_update().await.unwrap();
        let waiting = quarantined(server).await.unwrap();
        if device.id() < waiting.id {
            return waiting.id;
        }
        server.mdm().reject_device(&server.owner(), waiting.id).await.unwrap();
    }
}

/// PostgreSQL would end one of the two.
#[tokio::test]
async fn an_approval_and_a_command_for_both_devices_do_not_wait_in_a_circle() {
    let server = TestServer::on_postgres().await;
    let iphone = server.enrolled_iphone().await;
    let waiting = quarantined_behind(&server, &iphone).await;
    // A command for many devices goes down the list of them in this order.
    let mut send = server.database().await.store.begin(server.tenant()).await.unwrap();
    send.hold_devices(&[iphone.id()]).await.unwrap();

    let (mdm, owner) = (server.mdm().clone(), server.owner());
    let approving = tokio::spawn(async move { mdm.approve_device(&owner, waiting).await });
    // Time for the approval to take what it can have.
    tokio::time::sleep(Duration::from_millis(200)).await;
    send.hold_devices(&[waiting]).await.unwrap();
    // Longer than PostgreSQL waits before it looks for a deadlock.
    tokio::time::sleep(Duration::from_millis(1200)).await;
    assert!(!approving.is_finished());
    send.commit().await.unwrap();

    assert_eq!(approving.await.unwrap().unwrap(), iphone.id());
}
