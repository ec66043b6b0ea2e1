//! Certificates in a header: safe only from a proxy that strips what clients send (10).

use apple::{Report, content_type};
use server::config::Settings;
use simulator::apple_device::{AppleDevice, By, DeviceModel, EnrollOptions, HeaderForm, Identity, Request};
use testkit::server::{Device, Options, TestServer};

use crate::speaker::{Reply, Speaker, foreign_ca, issue};

const HEADER: &str = "client-cert";

#[tokio::test]
async fn a_device_behind_a_trusted_proxy_enrolls_in_either_form() {
    let server = behind("127.0.0.0/8").await;
    for form in [HeaderForm::Rfc9440, HeaderForm::EscapedPem] {
        let mut iphone = enrolled(&server, form).await;
        server.lock(&iphone).await;
        assert_eq!(iphone.idle().await, Ok(Some("DeviceLock")));
        assert_eq!(iphone.acknowledge().await, Ok(None));
    }
}

#[tokio::test]
async fn the_certificate_that_a_proxy_hands_on_is_judged_like_any_other() {
    let server = behind("127.0.0.1/32").await;
    let (iphone, other) =
        (enrolled(&server, HeaderForm::Rfc9440).await, enrolled(&server, HeaderForm::Rfc9440).await);
    let stranger = issue(&server, &foreign_ca(&server), "device");
    for credential in [other.credential().clone(), stranger] {
        let answer = iphone.send(idle(&server, &iphone), By::Other(&credential)).await.unwrap();
        assert_eq!((answer.status, answer.body.len()), (403, 0));
    }
    assert_eq!(iphone.send(idle(&server, &iphone), By::Nobody).await.unwrap().status, 400);
}

#[tokio::test]
async fn anybody_elses_header_is_not_looked_at() {
    // The test's own address is not among the proxies.
    let server = behind("192.0.2.0/24").await;
    let iphone = server.enrolled_iphone().await;
    let claim = HeaderForm::Rfc9440.write(&iphone.credential().certificate);
    let request = idle(&server, &iphone).header(HEADER, claim);
    let answer = iphone.send(request.clone(), By::Nobody).await.unwrap();
    assert_eq!((answer.status, answer.body.len()), (400, 0));
    // And it does not disturb what a device proves by itself.
    let other = server.enrolled_mac().await;
    let claim = HeaderForm::Rfc9440.write(&other.credential().certificate);
    let request = idle(&server, &iphone).header(HEADER, claim);
    assert_eq!(iphone.send(request, By::Itself).await.unwrap().status, 200);
}

#[tokio::test]
async fn without_a_header_that_was_named_none_is_looked_at() {
    let settings = Settings { trusted_proxy: vec!["127.0.0.0/8".into()], ..Settings::default() };
    let server = TestServer::with(Options { settings, ..Options::default() }).await;
    let iphone = server.enrolled_iphone().await;
    for name in [HEADER, "ssl-client-cert", "x-forwarded-client-cert"] {
        let claim = HeaderForm::EscapedPem.write(&iphone.credential().certificate);
        let answer = iphone.send(idle(&server, &iphone).header(name, claim), By::Nobody).await.unwrap();
        assert_eq!(answer.status, 400, "{name}");
    }
}

#[tokio::test]
async fn a_header_that_cannot_be_read_is_refused() {
    let server = behind("127.0.0.0/8").await;
    let iphone = enrolled(&server, HeaderForm::Rfc9440).await;
    let good = HeaderForm::Rfc9440.write(&iphone.credential().certificate);
    let speaker = Speaker::new(&server, iphone.credential().clone(), iphone.model().udid.clone());
    let body = Report::idle(speaker.ids()).encode();
    for value in ["::", ":AAAA:", &good[..good.len() / 2], "%zz", "(null)", "", &"A".repeat(17 << 10)] {
        let headers = [(HEADER, value.to_owned())];
        assert_eq!(speaker.send("/mdm", &headers, body.clone()).await, Reply::refused(400), "{value:.20}");
    }
    let twice = [(HEADER, good.clone()), (HEADER, good)];
    assert_eq!(speaker.send("/mdm", &twice, body).await, Reply::refused(400));
}

/// A server that believes proxies of this network.
async fn behind(network: &str) -> TestServer {
    let settings = Settings {
        trusted_proxy: vec![network.into()],
        client_cert_header: Some(HEADER.into()),
        ..Settings::default()
    };
    TestServer::with(Options { settings, ..Options::default() }).await
}

async fn enrolled(server: &TestServer, form: HeaderForm) -> Device {
    let identity = Identity::Header { name: HEADER.into(), form };
    let options = server.options(server.link().await, DeviceModel::iphone(server.seed()));
    let mut iphone = server.enroll(EnrollOptions { identity, ..options }).await;
    iphone.connect().await.unwrap();
    iphone
}

fn idle(server: &TestServer, device: &AppleDevice) -> Request {
    let body = Report::idle(device.model().identifiers()).encode();
    Request::put(format!("{}/mdm", server.device_url()), content_type::REPORT, body)
}
