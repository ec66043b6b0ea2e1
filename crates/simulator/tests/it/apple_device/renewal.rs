//! Renewing an identity by the same profile once more, and by SCEP alone.

use apple::Status;
use apple::command::InstallProfile;
use simulator::apple_device::{AppleDevice, DeviceModel, EnrollOptions, Failure, RenewalManners};

use super::desk::Signer;
use super::server::Server;

fn renewal(server: &Server) -> InstallProfile {
    InstallProfile { payload: server.desk.profile("challenge-2") }
}

#[tokio::test]
async fn the_same_profile_once_more_brings_a_new_key_and_certificate() {
    let server = Server::start().await;
    let mut device = AppleDevice::enroll(server.options(DeviceModel::iphone(0))).await.unwrap();
    let old = device.credential().certificate.clone();
    server.desk.hand_over("renewal", renewal(&server));
    let done = device.connect().await.unwrap();
    assert_eq!(done[0].status, Status::Acknowledged);
    let new = &device.credential().certificate;
    assert_ne!(new.public_key_spki(), old.public_key_spki());
    let asked =
        ["Idle", "GetCACert", "GetCACaps", "PKIOperation", "Authenticate", "TokenUpdate", "Acknowledged"];
    assert_eq!(server.desk.asked()[6..], asked);
    let heard = server.desk.heard();
    assert_eq!(heard[6].signer, Some(old.fingerprint()));
    assert!(heard[10..].iter().all(|heard| heard.signer == Some(new.fingerprint())));
    assert!(device.is_enrolled());
}

#[tokio::test]
async fn a_quiet_device_shows_its_new_certificate_with_the_report() {
    let server = Server::start().await;
    let options = EnrollOptions { renewal: RenewalManners::Quiet, ..server.options(DeviceModel::mac(0)) };
    let mut device = AppleDevice::enroll(options).await.unwrap();
    server.desk.hand_over("renewal", renewal(&server));
    device.connect().await.unwrap();
    assert_eq!(server.desk.asked()[10..], ["PKIOperation", "Acknowledged"]);
    let last = server.desk.heard().pop().unwrap();
    assert_eq!(last.signer, Some(device.credential().certificate.fingerprint()));
}

#[tokio::test]
async fn a_renewal_that_changes_what_is_fixed_fails_and_is_a_breach() {
    type Edit = fn(&mut apple::EnrollmentProfile);
    let edits: [(Edit, &str); 5] = [
        (|profile| profile.mdm.topic.push('x'), "topic"),
        (|profile| profile.mdm.server_url.push('x'), "URL"),
        (|profile| profile.uuids.scep = "other".into(), "UUIDs"),
        (|profile| profile.scep.challenge = "challenge-1".into(), "old challenge"),
        (|profile| profile.scep.ca_fingerprint[0] ^= 1, "fingerprint"),
    ];
    for (edit, sentence) in edits {
        let server = Server::start().await;
        let mut device = AppleDevice::enroll(server.options(DeviceModel::iphone(0))).await.unwrap();
        let old = device.credential().certificate.clone();
        server.desk.conduct(|conduct| conduct.edit_profile = Box::new(edit));
        server.desk.hand_over("renewal", renewal(&server));
        let done = device.connect().await.unwrap();
        assert_eq!(done[0].status, Status::Error);
        assert!(device.breaches()[0].0.contains(sentence), "{:?}", device.breaches());
        assert_eq!(device.credential().certificate, old);
    }
}

#[tokio::test]
async fn a_renewal_that_is_not_signed_fails() {
    let server = Server::start().await;
    let mut device = AppleDevice::enroll(server.options(DeviceModel::iphone(0))).await.unwrap();
    server.desk.conduct(|conduct| conduct.signer = Signer::Nobody);
    server.desk.hand_over("renewal", renewal(&server));
    assert_eq!(device.connect().await.unwrap()[0].status, Status::Error);
    assert!(device.breaches()[0].0.contains("not signed"));
}

#[tokio::test]
async fn a_profile_of_another_identifier_is_only_installed() {
    let server = Server::start().await;
    let mut device = AppleDevice::enroll(server.options(DeviceModel::iphone(0))).await.unwrap();
    server
        .desk
        .conduct(|conduct| conduct.edit_profile = Box::new(|profile| profile.identifier = "other".into()));
    server.desk.hand_over("1", renewal(&server));
    assert_eq!(device.connect().await.unwrap()[0].status, Status::Acknowledged);
    assert_eq!(server.desk.asked()[6..], ["Idle", "Acknowledged"]);
}

#[tokio::test]
async fn a_certificate_may_be_renewed_by_scep_alone() {
    let server = Server::start().await;
    let mut device = AppleDevice::enroll(server.options(DeviceModel::mac(0))).await.unwrap();
    let old = device.credential().certificate.clone();
    device.renew_by_request().await.unwrap();
    let last = server.desk.heard().pop().unwrap();
    let request = pki::scep::open(&last.body, server.desk.authority, false).unwrap();
    assert_eq!((request.kind, &request.signer), (pki::scep::Kind::RenewalReq, &old));
    assert_ne!(device.credential().certificate.public_key_spki(), old.public_key_spki());
    server.desk.twist("GetCACaps", |reply| reply.body = b"AES\nSHA-256\n".to_vec());
    let error = device.renew_by_request().await.unwrap_err();
    assert!(matches!(error.cause, Failure::Breach(_)), "{error}");
    assert_eq!(device.breaches().len(), 1);
}
