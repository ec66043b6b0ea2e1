//! `RenewalReq`, signed with the identity that is to be renewed: for clients that are not Apple's.

use simulator::apple_device::{EnrollError, Failure, RenewalManners, Step};
use testkit::{on_both, server::TestServer};

use super::{EXPIRED, iphone};
use crate::{
    check_in::tokens::enrollment,
    speaker::{Reply, Speaker},
};

on_both!(a_device_may_renew_by_itself);
async fn a_device_may_renew_by_itself(server: TestServer) {
    let mut iphone = iphone(&server, RenewalManners::Quiet).await;
    let old = Speaker::new(&server, iphone.credential().clone(), iphone.model().udid.clone());
    let before = enrollment(&server, &iphone).await;
    iphone.renew_by_request().await.unwrap();
    assert_ne!(iphone.credential().certificate, old.credential.certificate);
    assert_eq!(iphone.credential().certificate.subject(), old.credential.certificate.subject());
    assert_eq!(old.idle().await, Reply::fine(), "until the new one is used");
    assert_eq!(iphone.idle().await, Ok(None));
    assert_eq!(old.idle().await, Reply::refused(403));
    assert_eq!(enrollment(&server, &iphone).await, before);
}

on_both!(an_expired_identity_may_renew_itself);
async fn an_expired_identity_may_renew_itself(server: TestServer) {
    let mut iphone = iphone(&server, RenewalManners::Quiet).await;
    server.clock().advance(EXPIRED);
    iphone.renew_by_request().await.unwrap();
    server.lock(&iphone).await;
    assert_eq!(iphone.idle().await, Ok(Some("DeviceLock")));
}

on_both!(a_request_that_is_sent_again_gets_the_same_certificate);
async fn a_request_that_is_sent_again_gets_the_same_certificate(server: TestServer) {
    let iphone = iphone(&server, RenewalManners::Quiet).await;
    let client = OldIdentity::of(&server, &iphone).await;
    let (one, two, three) = tokio::join!(client.renewed(), client.renewed(), client.renewed());
    let one = one.unwrap();
    assert_eq!((two, three, client.renewed().await), (Ok(one.clone()), Ok(one.clone()), Ok(one)));
}

on_both!(an_identity_that_was_replaced_may_not);
async fn an_identity_that_was_replaced_may_not(server: TestServer) {
    let mut iphone = iphone(&server, RenewalManners::Quiet).await;
    let client = OldIdentity::of(&server, &iphone).await;
    assert!(client.renews().await);
    iphone.renew_by_request().await.unwrap();
    assert!(client.renews().await, "still the pinned one");
    iphone.idle().await.unwrap();
    assert!(!client.renews().await);
}

on_both!(an_identity_of_an_enrollment_that_is_over_may_not);
async fn an_identity_of_an_enrollment_that_is_over_may_not(server: TestServer) {
    let mut iphone = iphone(&server, RenewalManners::Quiet).await;
    let client = OldIdentity::of(&server, &iphone).await;
    iphone.check_out().await.unwrap();
    assert!(!client.renews().await);
    let refused = iphone.renew_by_request().await;
    let expected = |error: &EnrollError| {
        error.step == Step::Certificate && matches!(error.cause, Failure::CertificateRefused(_))
    };
    assert!(refused.as_ref().is_err_and(expected), "{refused:?}");
}

/// An identity that its owner may have forgotten.
struct OldIdentity {
    credential: simulator::apple_device::Credential,
    client: crate::scep::client::Client,
}

impl OldIdentity {
    async fn of(server: &TestServer, device: &testkit::server::Device) -> Self {
        let client = crate::scep::client::Client::of(server).await;
        Self { credential: device.credential().clone(), client }
    }

    /// Whether it gets a certificate for another key.
    async fn renews(&self) -> bool {
        self.renewed().await.is_ok()
    }

    async fn renewed(&self) -> Result<pki::Certificate, pki::scep::client::Failure> {
        let csr = self.client.csr();
        let signer = &self.credential.certificate;
        let exchange = pki::scep::client::Exchange { signer, ..self.client.exchange() };
        let key = &*self.credential.key;
        let message = exchange.request(pki::scep::Kind::RenewalReq, &csr, key, self.client.options).unwrap();
        let reply = self.client.post(message).await;
        exchange.open_reply(&reply.body, &csr, key)
    }
}
