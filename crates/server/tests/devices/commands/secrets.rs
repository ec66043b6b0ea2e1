//! Secrets that devices tell in answer to commands: kept in escrow, and not in the answer.

use apple::{Dictionary, Report, Value, command};
use domain::{DeviceSecret, Error, Thing};
use testkit::{
    on_both,
    server::{Device, TestServer},
};

use crate::speaker::{Reply, Speaker};

on_both!(a_recovery_key_goes_into_escrow_and_out_of_the_result);
async fn a_recovery_key_goes_into_escrow_and_out_of_the_result(server: TestServer) {
    let mut mac = server.enrolled_mac().await;
    let reveal =
        async || server.mdm().reveal(&server.owner(), mac.id(), DeviceSecret::FileVaultRecoveryKey).await;
    assert!(matches!(reveal().await, Err(Error::NotFound(Thing::Secret))));
    for key in [b"first key of many".to_vec(), b"first key of many".to_vec(), b"another key".to_vec()] {
        let stored = tells(&server, &mac, key.clone()).await;
        assert!(!stored.contains("FDE_PersonalRecoveryKeyCMS"), "it is not in the result: {stored}");
        assert_eq!(reveal().await.unwrap(), key);
    }
    let rows = server.records().await.escrow(mac.id(), "filevault-recovery-key", 10).await.unwrap();
    assert_eq!(rows.len(), 2, "one for each key");
    assert!(rows.iter().all(|row| !row.sealed.windows(3).any(|window| window == b"key")));
    assert_eq!(server.count_events("secret.revealed").await, 3);
    assert_eq!(mac.idle().await, Ok(None));
}

/// Answers a `SecurityInfo` with this key; the result as it is stored afterwards.
async fn tells(server: &TestServer, mac: &Device, key: Vec<u8>) -> String {
    let id = server.queue(mac, &[command::SecurityInfo.into()]).await[0];
    let speaker = Speaker::new(server, mac.credential().clone(), mac.model().udid.clone());
    assert!(speaker.idle().await.text().contains("SecurityInfo"));
    let info = Dictionary::from_iter([
        ("FDE_Enabled".to_owned(), Value::from(true)),
        ("FDE_PersonalRecoveryKeyCMS".to_owned(), Value::Data(key)),
    ]);
    let report = Report::acknowledged(speaker.ids(), &id.to_string().to_uppercase())
        .with("SecurityInfo", Value::Dictionary(info));
    assert_eq!(speaker.report(&report).await, Reply::fine());
    server.settled().await;
    let stored = server.command(mac, id).await.result.expect("a result");
    let read = Report::parse(&stored).unwrap();
    assert_eq!(read.body["SecurityInfo"].as_dictionary().unwrap()["FDE_Enabled"], Value::from(true));
    String::from_utf8(stored).unwrap()
}
