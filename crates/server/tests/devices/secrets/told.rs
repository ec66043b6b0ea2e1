//! Secrets that devices tell in answer to commands: kept in escrow, and not in the answer.

use apple::{Report, Value};
use domain::{
    DeviceSecret::{ActivationLockBypassCode, FileVaultRecoveryKey, UnlockToken},
    SecretStanding::Confirmed,
};
use serde_json::json;
use simulator::apple_device::{DeviceModel, Secrets};
use testkit::{
    on_both,
    server::{Device, TestServer},
};

use super::{done, has_none, list, revealed, send, told};
use crate::speaker::{Reply, Speaker};

/// What is stored of a command's answer, as anybody who has the database and the key ring can read it.
async fn result(server: &TestServer, id: domain::CommandId) -> String {
    let shown = server.mdm().command(&server.owner(), id).await.unwrap();
    shown.result.expect("a result").to_string()
}

/// An iPad that still knows what takes its Activation Lock off.
async fn locked_ipad(server: &TestServer) -> Device {
    let secrets = Secrets { bypass_code: Some("NP1FC-H1G9".into()), ..Secrets::default() };
    server.enrolled(DeviceModel { secrets, ..DeviceModel::supervised_ipad(server.seed()) }).await
}

on_both!(a_bypass_code_stays_when_the_device_tells_it_no_longer);
/// 49: it is told for a limited time only, and may change.
async fn a_bypass_code_stays_when_the_device_tells_it_no_longer(server: TestServer) {
    let mut ipad = locked_ipad(&server).await;
    assert!(has_none(&server, &ipad, ActivationLockBypassCode).await);
    let ask = || json!({ "RequestType": "ActivationLockBypassCode" });
    let id = done(&server, &mut ipad, ask()).await;
    let found = revealed(&server, &ipad, ActivationLockBypassCode).await;
    assert_eq!(list(&found), told([("NP1FC-H1G9", Confirmed)]));
    assert_eq!((found.is_current, found.command), (true, Some(id)));
    assert!(!result(&server, id).await.contains("NP1FC"));

    for (code, expected) in [(None, "NP1FC-H1G9"), (Some("Q7K2M-0001"), "Q7K2M-0001")] {
        ipad.model_mut().secrets.bypass_code = code.map(str::to_owned);
        done(&server, &mut ipad, ask()).await;
        let found = revealed(&server, &ipad, ActivationLockBypassCode).await;
        assert_eq!(list(&found), told([(expected, Confirmed)]));
    }
    let rows = server.records().await.escrow(ipad.id(), "activation-lock-bypass-code", 10).await.unwrap();
    assert_eq!(rows.len(), 2, "none was overwritten");
}

on_both!(a_recovery_key_goes_into_escrow_and_out_of_the_result);
async fn a_recovery_key_goes_into_escrow_and_out_of_the_result(server: TestServer) {
    let mut mac = server.enrolled_mac().await;
    assert!(has_none(&server, &mac, FileVaultRecoveryKey).await);
    for key in ["first key of many", "first key of many", "another key"] {
        mac.model_mut().secrets.recovery_key = Some(key.into());
        let id = done(&server, &mut mac, json!({ "RequestType": "SecurityInfo" })).await;
        let stored = result(&server, id).await;
        assert!(stored.contains("FDE_Enabled") && !stored.contains("FDE_PersonalRecoveryKeyCMS"), "{stored}");
        assert_eq!(list(&revealed(&server, &mac, FileVaultRecoveryKey).await), told([(key, Confirmed)]));
    }
    let rows = server.records().await.escrow(mac.id(), "filevault-recovery-key", 10).await.unwrap();
    assert_eq!(rows.len(), 2, "one for each key");
    assert!(rows.iter().all(|row| !row.sealed.windows(3).any(|window| window == b"key")));
    assert_eq!(server.count_events("secret.revealed").await, 3);
}

on_both!(a_recovery_key_that_was_rotated_is_the_new_one);
async fn a_recovery_key_that_was_rotated_is_the_new_one(server: TestServer) {
    let mut mac = server.enrolled_mac().await;
    let rotate = |password: &str| {
        let unlock = json!({ "Password": password });
        json!({ "RequestType": "RotateFileVaultKey", "KeyType": "personal", "FileVaultUnlock": unlock })
    };
    let id = send(&server, &mac, rotate("hunter2")).await;
    let payload = server.command(&mac, id).await.payload;
    assert!(!String::from_utf8_lossy(&payload).contains("hunter2"), "somebody's password is sealed");
    mac.connect().await.unwrap();
    server.settled().await;
    let key = mac.model().secrets.recovery_key.clone().expect("a key");
    assert_eq!(revealed(&server, &mac, FileVaultRecoveryKey).await.value, key);
    assert_eq!(result(&server, id).await, json!({ "RotateResult": {} }).to_string());

    done(&server, &mut mac, rotate("")).await;
    assert_eq!(revealed(&server, &mac, FileVaultRecoveryKey).await.value, key, "a failure changes nothing");
    assert_eq!(mac.model().secrets.recovery_key, Some(key));
}

on_both!(an_unlock_token_that_was_asked_for_clears_the_passcode);
/// 44, 45
async fn an_unlock_token_that_was_asked_for_clears_the_passcode(server: TestServer) {
    let ipad = locked_ipad(&server).await;
    let before = revealed(&server, &ipad, UnlockToken).await;
    assert_eq!(Some(&before.value), ipad.push_address().unlock_token.as_ref());
    let id = send(&server, &ipad, json!({ "RequestType": "RequestUnlockToken" })).await;
    let speaker = Speaker::new(&server, ipad.credential().clone(), ipad.model().udid.clone());
    assert!(speaker.idle().await.text().contains("RequestUnlockToken"));
    let report = Report::acknowledged(speaker.ids(), &id.to_string().to_uppercase());
    server.clock().advance(std::time::Duration::from_secs(1));
    let token = Value::Data(b"a token of another day".to_vec());
    assert_eq!(speaker.report(&report.with("UnlockToken", token)).await, Reply::fine());
    server.settled().await;

    let found = revealed(&server, &ipad, UnlockToken).await;
    assert_eq!(list(&found), told([("a token of another day", Confirmed)]));
    assert!(found.is_current && found.kept_at > before.kept_at);
    assert_eq!(result(&server, id).await, "{}");
    let clear = domain::ResetPasscode::new(None).unwrap();
    let clear = domain::Action::ResetPasscode(clear);
    server.mdm().act(&server.owner(), ipad.id(), &clear).await.unwrap();
    let handed = apple::Envelope::parse(&speaker.idle().await.body).unwrap();
    let apple::Command::ClearPasscode(clear) = handed.command else { panic!("{:?}", handed.command) };
    assert_eq!(clear.unlock_token, b"a token of another day");
}

on_both!(a_device_tells_its_own_unlock_token_when_it_is_asked);
async fn a_device_tells_its_own_unlock_token_when_it_is_asked(server: TestServer) {
    let mut ipad = locked_ipad(&server).await;
    let id = done(&server, &mut ipad, json!({ "RequestType": "RequestUnlockToken" })).await;
    let found = revealed(&server, &ipad, UnlockToken).await;
    assert_eq!(Some(found.value), ipad.push_address().unlock_token);
    assert_eq!(result(&server, id).await, "{}");
}

on_both!(an_answer_that_tells_a_secret_of_no_known_kind_stays_sealed);
async fn an_answer_that_tells_a_secret_of_no_known_kind_stays_sealed(server: TestServer) {
    let ipad = server.enrolled_ipad().await;
    let queries = json!(["OSVersion"]);
    let id = send(&server, &ipad, json!({ "RequestType": "DeviceInformation", "Queries": queries })).await;
    let speaker = Speaker::new(&server, ipad.credential().clone(), ipad.model().udid.clone());
    speaker.idle().await;
    let failed = Report::error(speaker.ids(), &id.to_string().to_uppercase(), vec![]);
    speaker.report(&failed.with("AdminPassword", Value::from("hunter2 and more"))).await;
    server.settled().await;
    let stored = server.command(&ipad, id).await;
    let bytes = stored.result.unwrap();
    assert!(stored.result_sealed && !String::from_utf8_lossy(&bytes).contains("hunter2"));
    assert_eq!(result(&server, id).await, json!({ "AdminPassword": "(hidden)" }).to_string());
}
