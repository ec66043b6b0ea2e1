//! Over real TLS, of which a device trusts nothing but what its profile carries.

use apple::{Report, content_type};
use pki::Hash;
use reqwest::{Client, Identity as ClientIdentity};
use simulator::apple_device::{
    AppleDevice, By, DeviceModel, EnrollOptions, Failure, Identity, Request, Step, Trust,
};
use testkit::server::{Options, TestServer};

use crate::speaker::{foreign_ca, issue};

/// The whole of it: link, profile, root, SCEP, check-ins, commands, a push, and the leave.
mod the_whole_enrollment {
    use super::*;

    #[tokio::test]
    async fn on_sqlite() {
        by_client_certificate(server(false).await).await;
    }

    #[tokio::test]
    async fn on_postgres() {
        by_client_certificate(server(true).await).await;
    }

    async fn by_client_certificate(server: TestServer) {
        let mut options = server.options(server.link().await, DeviceModel::iphone(server.seed()));
        options = options.identity(Identity::TlsClientCertificate);
        assert_eq!(options.trust, Trust::ProfileRoot, "it trusts nobody at first");
        let mut iphone = server.enroll(options).await;
        assert_eq!(iphone.trusted_roots(), [server.mdm().tls_ca().certificate().clone()]);
        let done = iphone.connect().await.unwrap();
        assert_eq!(done.len(), 3, "inventory, security, declarations: {done:?}");
        server.settled().await;
        server.pushed().await;
        server.lock(&iphone).await;
        server.pushed().await;
        assert_eq!(server.apns().pushes().last().unwrap().token, iphone.push_address().token);
        assert_eq!(iphone.idle().await, Ok(Some("DeviceLock")));
        assert_eq!(iphone.acknowledge().await, Ok(None));
        iphone.check_out().await.unwrap();
    }
}

#[tokio::test]
async fn a_device_that_signs_enrolls_over_tls_too() {
    let server = server(false).await;
    let mut mac = server.enrolled_mac().await;
    server.lock(&mac).await;
    assert_eq!(mac.idle().await, Ok(Some("DeviceLock")));
}

#[tokio::test]
async fn a_device_that_trusts_other_roots_does_not_come_in() {
    let server = server(false).await;
    let other = foreign_ca(&server).certificate().clone();
    let options =
        server.options(server.link().await, DeviceModel::iphone(1)).trust(Trust::Roots(vec![other]));
    let error = AppleDevice::enroll(options).await.err().unwrap();
    assert!(matches!(error.cause, Failure::Unreachable(_)), "{error}");
    assert_eq!(error.step, Step::Profile);
}

#[tokio::test]
async fn without_a_client_certificate_and_without_a_signature_there_is_nobody() {
    let server = server(false).await;
    let iphone = iphone(&server).await;
    let answer = iphone.send(idle(&server, &iphone), By::Nobody).await.unwrap();
    assert_eq!((answer.status, answer.body.len()), (400, 0));
}

#[tokio::test]
async fn the_client_certificate_of_another_is_refused() {
    let server = server(false).await;
    let (iphone, other) = (iphone(&server).await, iphone(&server).await);
    let stranger = issue(&server, &foreign_ca(&server), "device");
    for credential in [other.credential().clone(), stranger] {
        let answer = iphone.send(idle(&server, &iphone), By::Other(&credential)).await.unwrap();
        assert_eq!((answer.status, answer.body.len()), (403, 0));
    }
}

/// One device on the connection of another.
#[tokio::test]
async fn a_signature_that_is_not_the_connections_is_refused() {
    let server = server(false).await;
    let (one, other) = (iphone(&server).await, iphone(&server).await);
    let body = Report::idle(one.model().identifiers()).encode();
    let now = server.clock().as_closure()();
    let signature = one.credential().signature(&body, Hash::Sha256, now).unwrap();
    let request = idle(&server, &one).header("Mdm-Signature", signature);
    assert_eq!(one.send(request.clone(), By::Itself).await.unwrap().status, 200);
    assert_eq!(one.send(request, By::Other(other.credential())).await.unwrap().status, 400);
}

/// The connection was opened with the old identity, and the message is signed with the new one.
#[tokio::test]
async fn a_renewal_in_the_middle_of_a_connection_is_no_contradiction() {
    let server = server(false).await;
    let mut iphone = iphone(&server).await;
    let old = iphone.credential().clone();
    iphone.renew_by_request().await.unwrap();
    let body = Report::idle(iphone.model().identifiers()).encode();
    let signature =
        iphone.credential().signature(&body, Hash::Sha256, server.clock().as_closure()()).unwrap();
    let request = idle(&server, &iphone).header("Mdm-Signature", signature);
    assert_eq!(iphone.send(request, By::Other(&old)).await.unwrap().status, 200);
}

/// A verifier that refused expired certificates would make renewal impossible.
#[tokio::test]
async fn an_expired_client_certificate_still_fetches_its_renewal() {
    let server = server(false).await;
    let mut iphone = iphone(&server).await;
    // The server's own certificate is renewed meanwhile, as it would be in a year of its own.
    server.clock().advance(std::time::Duration::from_hours(366 * 24));
    let done: Vec<_> = iphone.connect().await.unwrap().into_iter().map(|done| done.request_type).collect();
    assert_eq!(done, ["InstallProfile"]);
    assert_eq!(iphone.idle().await, Ok(None));
}

/// The API listener shows the same certificate and asks for none.
#[tokio::test]
async fn people_are_not_asked_for_a_certificate() {
    let server = server(false).await;
    let root = reqwest::Certificate::from_der(server.mdm().tls_ca().certificate().der()).unwrap();
    let iphone = iphone(&server).await;
    let pem = [
        iphone.credential().certificate.to_pem(),
        iphone.credential().key.to_pem().unwrap().as_str().to_owned(),
    ];
    let identity = ClientIdentity::from_pem(pem.concat().as_bytes()).unwrap();
    for builder in [Client::builder(), Client::builder().identity(identity)] {
        let client = builder.no_proxy().add_root_certificate(root.clone()).build().unwrap();
        let url = format!("{}/healthz", server.api_url());
        assert_eq!(client.get(url).send().await.unwrap().status(), 200);
    }
}

async fn server(postgres: bool) -> TestServer {
    TestServer::with(Options { tls: true, postgres, ..Options::default() }).await
}

/// One that shows its certificate in the handshake, with nothing left to do.
async fn iphone(server: &TestServer) -> testkit::server::Device {
    let options = server.options(server.link().await, DeviceModel::iphone(server.seed()));
    let options = EnrollOptions { identity: Identity::TlsClientCertificate, ..options };
    let mut iphone = server.enroll(options).await;
    iphone.connect().await.unwrap();
    iphone
}

fn idle(server: &TestServer, device: &testkit::server::Device) -> Request {
    let body = Report::idle(device.model().identifiers()).encode();
    Request::put(format!("{}/mdm", server.device_url()), content_type::REPORT, body)
}
