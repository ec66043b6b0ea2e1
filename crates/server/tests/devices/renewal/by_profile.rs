//! The server sends the enrollment profile again, with a fresh challenge, before an identity expires.

use apple::{Command, EnrollmentProfile, enrollment::UrlPolicy};
use domain::CommandState;
use pki::cms;
use simulator::apple_device::{Credential, RenewalManners};
use testkit::{
    on_both,
    server::{Device, TestServer},
};

use super::{DAY, DUE, iphone, open_renewal};
use crate::{
    check_in::tokens::enrollment,
    scep::client::Client,
    speaker::{Reply, Speaker},
};

on_both!(a_device_that_checks_in_again_is_renewed);
async fn a_device_that_checks_in_again_is_renewed(server: TestServer) {
    is_renewed(&server, RenewalManners::CheckIn).await;
}

on_both!(a_device_that_says_nothing_of_it_is_renewed);
async fn a_device_that_says_nothing_of_it_is_renewed(server: TestServer) {
    is_renewed(&server, RenewalManners::Quiet).await;
}

/// 14: the same device, the same enrollment, the same queue; only its certificate is another.
async fn is_renewed(server: &TestServer, manners: RenewalManners) {
    let mut iphone = iphone(server, manners).await;
    let old = Speaker::new(server, iphone.credential().clone(), iphone.model().udid.clone());
    let before = enrollment(server, &iphone).await;
    assert_eq!(server.mdm().queue_renewals().await.unwrap(), 0, "it is not due");
    server.pushed().await;
    let pushes = server.apns().pushes().len();

    server.clock().advance(DUE);
    server.mdm().queue_renewals().await.unwrap();
    assert!(open_renewal(server, &iphone).await.is_some());
    server.pushed().await;
    assert_eq!(server.apns().pushes().len(), pushes + 1, "it is woken for that");
    let lock = server.lock(&iphone).await;

    let done: Vec<_> = iphone.connect().await.unwrap().into_iter().map(|done| done.request_type).collect();
    assert_eq!(done, ["InstallProfile", "DeviceLock"], "and the queue goes on");
    assert_eq!(server.command(&iphone, lock).await.state, CommandState::Acknowledged);
    assert_ne!(iphone.credential().certificate, old.credential.certificate);
    assert!(iphone.credential().certificate.not_after() > old.credential.certificate.not_after() + 300 * DAY);
    assert_eq!(iphone.credential().certificate.subject(), old.credential.certificate.subject());
    assert_eq!(enrollment(server, &iphone).await, before);
    assert_eq!(server.id_of(&iphone).await, Some(iphone.id()));
    assert_eq!(old.idle().await, Reply::refused(403), "the new one has been used");
    assert_eq!(server.mdm().queue_renewals().await.unwrap(), 0);
    assert_eq!(iphone.idle().await, Ok(None));
}

on_both!(the_old_certificate_is_good_until_the_new_one_is_used);
async fn the_old_certificate_is_good_until_the_new_one_is_used(server: TestServer) {
    let iphone = iphone(&server, RenewalManners::Quiet).await;
    let old = Speaker::new(&server, iphone.credential().clone(), iphone.model().udid.clone());
    let new = renewed(&server, &iphone).await;
    assert_eq!(old.token_update().await, Reply::fine());
    assert_eq!(old.idle().await.status, 200, "still the pinned one");
    assert_eq!(new.idle().await.status, 200);
    assert_eq!(old.idle().await, Reply::refused(403));
    assert_eq!(old.token_update().await, Reply::refused(403));
    assert_eq!(old.authenticate().await, Reply::refused(403));
    assert_eq!(new.authenticate().await, Reply::fine());
    assert_eq!(new.token_update().await, Reply::fine());
}

on_both!(a_renewal_is_asked_for_once);
async fn a_renewal_is_asked_for_once(server: TestServer) {
    let iphone = iphone(&server, RenewalManners::Quiet).await;
    server.clock().advance(DUE);
    server.mdm().queue_renewals().await.unwrap();
    let first = open_renewal(&server, &iphone).await.unwrap();
    assert_eq!(server.mdm().queue_renewals().await.unwrap(), 0);
    server.clock().advance(2 * DAY);
    assert_eq!(server.mdm().queue_renewals().await.unwrap(), 0, "it waits still");
    assert_eq!(open_renewal(&server, &iphone).await.unwrap().id, first.id);
}

on_both!(a_renewal_that_failed_is_asked_for_again_the_next_day);
async fn a_renewal_that_failed_is_asked_for_again_the_next_day(server: TestServer) {
    let mut iphone = iphone(&server, RenewalManners::Quiet).await;
    server.clock().advance(DUE);
    server.mdm().queue_renewals().await.unwrap();
    iphone.fail_next(vec![]);
    iphone.connect().await.unwrap();
    assert_eq!(server.mdm().queue_renewals().await.unwrap(), 0, "not at once");
    server.clock().advance(DAY);
    server.mdm().queue_renewals().await.unwrap();
    assert!(open_renewal(&server, &iphone).await.is_some());
    iphone.connect().await.unwrap();
    assert_eq!(iphone.idle().await, Ok(None));
}

on_both!(a_renewal_is_sealed_where_it_waits);
/// Whoever reads the profile could take the device's place.
async fn a_renewal_is_sealed_where_it_waits(server: TestServer) {
    let iphone = iphone(&server, RenewalManners::Quiet).await;
    server.clock().advance(DUE);
    server.mdm().queue_renewals().await.unwrap();
    let command = open_renewal(&server, &iphone).await.unwrap();
    assert!(command.sealed);
    assert!(!command.payload.windows(7).any(|window| window == b"Payload"));
}

on_both!(the_challenge_of_a_renewal_is_good_for_one_key_of_that_enrollment);
async fn the_challenge_of_a_renewal_is_good_for_one_key_of_that_enrollment(server: TestServer) {
    let iphone = iphone(&server, RenewalManners::Quiet).await;
    let client = Client::new(&server, profile_of_the_renewal(&server, &iphone).await);
    let certificate = client.certificate().await.unwrap();
    assert_eq!(certificate.subject(), iphone.credential().certificate.subject());
    assert_eq!(client.certificate().await.unwrap(), certificate, "a retry is answered");
    let other = client.with_key(pki::PrivateKey::generate_rsa_2048().unwrap());
    assert!(other.certificate().await.is_err());
}

on_both!(the_challenge_of_a_renewal_ends_with_its_enrollment);
async fn the_challenge_of_a_renewal_ends_with_its_enrollment(server: TestServer) {
    let mut iphone = iphone(&server, RenewalManners::Quiet).await;
    let profile = profile_of_the_renewal(&server, &iphone).await;
    iphone.check_out().await.unwrap();
    assert!(Client::new(&server, profile).certificate().await.is_err());
}

/// Somebody with the new certificate of a device, which has not been used.
async fn renewed(server: &TestServer, iphone: &Device) -> Speaker {
    let client = Client::new(server, profile_of_the_renewal(server, iphone).await);
    let certificate = client.certificate().await.unwrap();
    let credential = Credential { certificate, key: std::sync::Arc::new(client.key) };
    Speaker::new(server, credential, iphone.model().udid.clone())
}

/// What the server hands over as a renewal.
async fn profile_of_the_renewal(server: &TestServer, iphone: &Device) -> EnrollmentProfile {
    server.clock().advance(DUE);
    server.mdm().queue_renewals().await.unwrap();
    let speaker = Speaker::new(server, iphone.credential().clone(), iphone.model().udid.clone());
    let envelope = apple::Envelope::parse(&speaker.idle().await.body).unwrap();
    let Command::InstallProfile(install) = envelope.command else { panic!("{envelope:?}") };
    let signed = cms::verify_attached(&install.payload).unwrap();
    EnrollmentProfile::parse(&signed.content, UrlPolicy::LoopbackHttpToo).unwrap()
}
