//! A certificate is good for its own enrollment, and only as long as that uses it.

use pki::Authority;
use simulator::apple_device::{By, Credential, Request};
use testkit::{on_both, server::TestServer};

use super::signatures::{messages, url};
use crate::speaker::{Reply, Speaker, foreign_ca, issue};

on_both!(the_certificate_of_another_enrollment_is_refused);
async fn the_certificate_of_another_enrollment_is_refused(server: TestServer) {
    let (mut iphone, mac) = (server.enrolled_iphone().await, server.enrolled_mac().await);
    server.lock(&iphone).await;
    for (path, kind, body) in messages(&iphone) {
        let request = Request::put(url(&server, path), kind, body);
        let answer = iphone.send(request, By::Other(mac.credential())).await.unwrap();
        assert_eq!((answer.status, answer.body.len()), (403, 0), "{path}");
    }
    assert_eq!(iphone.idle().await, Ok(Some("DeviceLock")));
    assert_eq!(iphone.acknowledge().await, Ok(None));
}

on_both!(another_devices_message_is_refused);
/// Its own signature, under another's name.
async fn another_devices_message_is_refused(server: TestServer) {
    let (mut iphone, mac) = (server.enrolled_iphone().await, server.enrolled_mac().await);
    server.lock(&iphone).await;
    for (path, kind, body) in messages(&iphone) {
        let answer = mac.send(Request::put(url(&server, path), kind, body), By::Itself).await.unwrap();
        assert_eq!((answer.status, answer.body.len()), (403, 0), "{path}");
    }
    assert_eq!(iphone.idle().await, Ok(Some("DeviceLock")));
}

on_both!(a_certificate_of_nobody_that_is_trusted_is_refused);
async fn a_certificate_of_nobody_that_is_trusted_is_refused(server: TestServer) {
    let mut iphone = server.enrolled_iphone().await;
    let key = pki::PrivateKey::generate_rsa_2048().unwrap();
    let certificate = pki::scep::client::self_signed(&key, "device", server.clock().as_closure()()).unwrap();
    let self_signed = Credential { certificate, key: key.into() };
    let foreign = issue(&server, &foreign_ca(&server), "device");
    let copied = issue(&server, &namesake(&server), &iphone_name(&iphone));
    for credential in [self_signed, foreign, copied] {
        let speaker = Speaker::new(&server, credential, iphone.model().udid.clone());
        for reply in [
            speaker.idle().await,
            speaker.authenticate().await,
            speaker.token_update().await,
            speaker.check_out().await,
        ] {
            assert_eq!(reply, Reply::refused(403));
        }
    }
    assert_eq!(iphone.idle().await, Ok(None));
}

/// One that we issued, whose enrollment our database does not know: after a restore from an old backup there are many of
/// those, and none of them must be unenrolled.
#[tokio::test]
async fn a_certificate_that_the_database_has_lost_is_refused_and_not_unenrolled() {
    let server = TestServer::start().await;
    let iphone = server.enrolled_iphone().await;
    let old = Speaker::new(&server, iphone.credential().clone(), iphone.model().udid.clone());
    let mut tx = server.database().await.store.begin(server.tenant()).await.unwrap();
    tx.remove_device(iphone.id()).await.unwrap();
    tx.commit().await.unwrap();
    for reply in [old.idle().await, old.token_update().await, old.authenticate().await, old.check_out().await]
    {
        assert_eq!(reply, Reply::refused(403));
    }
}

on_both!(a_certificate_that_was_revoked_is_refused);
async fn a_certificate_that_was_revoked_is_refused(server: TestServer) {
    let iphone = server.enrolled_iphone().await;
    let speaker = Speaker::new(&server, iphone.credential().clone(), iphone.model().udid.clone());
    assert_eq!(speaker.idle().await, Reply::fine());
    let fingerprint = iphone.credential().certificate.fingerprint();
    let mut tx = server.database().await.store.begin(server.tenant()).await.unwrap();
    tx.set_certificate_state(&fingerprint, domain::CertificateState::Revoked).await.unwrap();
    tx.commit().await.unwrap();
    for reply in [
        speaker.idle().await,
        speaker.token_update().await,
        speaker.authenticate().await,
        speaker.check_out().await,
    ] {
        assert_eq!(reply, Reply::refused(403));
    }
}

#[tokio::test]
async fn a_certificate_in_another_devices_message_does_not_show_whose_it_is() {
    let server = TestServer::start().await;
    let (iphone, mac) = (server.enrolled_iphone().await, server.enrolled_mac().await);
    let stranger = Speaker::issued_by(&server, &foreign_ca(&server), "device", &iphone.model().udid);
    let confused = Speaker::new(&server, mac.credential().clone(), iphone.model().udid.clone());
    assert_eq!(stranger.idle().await, confused.idle().await, "who asks learns nothing of what is enrolled");
}

/// A CA that only calls itself ours.
fn namesake(server: &TestServer) -> Authority {
    let key = pki::PrivateKey::generate_rsa_2048().unwrap();
    Authority::with_key("Remuda device CA", key, server.clock().as_closure()()).unwrap()
}

fn iphone_name(device: &testkit::server::Device) -> String {
    device.credential().certificate.subject_common_name().unwrap().to_owned()
}
