//! The `Mdm-Signature` header: detached CMS over the very bytes of the body (8).

use apple::{CheckIn, Report, content_type};
use base64::{Engine, engine::general_purpose::STANDARD};
use pki::Hash;
use simulator::apple_device::{AppleDevice, By, DeviceModel, Identity, Request, SIGNATURE_HEADER};
use testkit::{
    on_both,
    server::{Device, TestServer},
};

use crate::speaker::{Reply, Speaker};

#[tokio::test]
async fn any_digest_of_today_will_do() {
    let server = TestServer::start().await;
    for hash in [Hash::Sha256, Hash::Sha384, Hash::Sha512] {
        let options = server.options(server.link().await, DeviceModel::iphone(server.seed()));
        let device = AppleDevice::enroll(options.identity(Identity::Signature(hash))).await.unwrap();
        assert!(device.is_enrolled(), "{hash:?}");
    }
}

on_both!(a_body_of_which_one_byte_was_changed_is_refused);
async fn a_body_of_which_one_byte_was_changed_is_refused(server: TestServer) {
    let iphone = server.enrolled_iphone().await;
    let honest = Report::idle(iphone.model().identifiers()).encode();
    for at in [0, honest.len() / 2, honest.len() - 1] {
        let mut changed = honest.clone();
        changed[at] ^= 1;
        let request = Request::put(url(&server, "/mdm"), content_type::REPORT, changed);
        let answer = iphone.send(request, By::SignedOver(&honest)).await.unwrap();
        assert_eq!((answer.status, answer.body.len()), (400, 0), "byte {at}");
    }
    // A white space at the end is the same property list, and another body.
    let longer = [honest.as_slice(), b"\n"].concat();
    let request = Request::put(url(&server, "/mdm"), content_type::REPORT, longer);
    assert_eq!(iphone.send(request, By::SignedOver(&honest)).await.unwrap().status, 400);
}

on_both!(a_message_of_nobody_is_refused);
async fn a_message_of_nobody_is_refused(server: TestServer) {
    let iphone = server.enrolled_iphone().await;
    server.lock(&iphone).await;
    for (path, kind, body) in messages(&iphone) {
        let answer = iphone.send(Request::put(url(&server, path), kind, body), By::Nobody).await.unwrap();
        assert_eq!((answer.status, answer.body.len()), (400, 0), "{path}");
    }
}

#[tokio::test]
async fn a_signature_that_is_none_is_refused() {
    let server = TestServer::start().await;
    let iphone = server.enrolled_iphone().await;
    let speaker = Speaker::new(&server, iphone.credential().clone(), iphone.model().udid.clone());
    let body = Report::idle(speaker.ids()).encode();
    let now = server.clock().as_closure()();
    let good = speaker.credential.signature(&body, Hash::Sha256, now).unwrap();
    let der = STANDARD.decode(&good).unwrap();
    let cut = |length: usize| STANDARD.encode(&der[..length]);
    for (what, signature) in [
        ("nothing", String::new()),
        ("no base64", "*".repeat(100)),
        ("no CMS", STANDARD.encode(b"hello")),
        ("half of it", cut(der.len() / 2)),
        ("all but a byte", cut(der.len() - 1)),
        ("one byte", cut(1)),
        ("a huge length", STANDARD.encode([0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0x06])),
        ("a length of nine bytes", STANDARD.encode([0x30, 0x89, 1, 1, 1, 1, 1, 1, 1, 1, 1])),
        ("a tower", STANDARD.encode([0x30, 0x80].repeat(2_000))),
        ("too long a header", "A".repeat(17 << 10)),
    ] {
        let headers = [(SIGNATURE_HEADER, signature)];
        assert_eq!(speaker.send("/mdm", &headers, body.clone()).await, Reply::refused(400), "{what}");
    }
    let twice = [(SIGNATURE_HEADER, good.clone()), (SIGNATURE_HEADER, good.clone())];
    assert_eq!(speaker.send("/mdm", &twice, body.clone()).await, Reply::refused(400));
    assert_eq!(speaker.send("/mdm", &[(SIGNATURE_HEADER, good)], body).await, Reply::fine());
}

#[tokio::test]
async fn a_signature_that_streams_is_read() {
    let server = TestServer::start().await;
    let iphone = server.enrolled_iphone().await;
    let speaker = Speaker::new(&server, iphone.credential().clone(), iphone.model().udid.clone());
    let body = Report::idle(speaker.ids()).encode();
    let now = server.clock().as_closure()();
    let der = STANDARD.decode(speaker.credential.signature(&body, Hash::Sha256, now).unwrap()).unwrap();
    let streamed = STANDARD.encode(crate::scep::ber::streamed(&der));
    assert_eq!(speaker.send("/mdm", &[(SIGNATURE_HEADER, streamed)], body).await, Reply::fine());
}

/// The `Mdm-Signature` of one message is worth nothing with another.
#[tokio::test]
async fn a_signature_of_yesterday_does_not_sign_what_is_said_today() {
    let server = TestServer::start().await;
    let iphone = server.enrolled_iphone().await;
    let speaker = Speaker::new(&server, iphone.credential().clone(), iphone.model().udid.clone());
    let idle = Report::idle(speaker.ids()).encode();
    let now = server.clock().as_closure()();
    let signature = speaker.credential.signature(&idle, Hash::Sha256, now).unwrap();
    let leave = CheckIn::CheckOut(iphone.check_out_message()).encode();
    let headers = [(SIGNATURE_HEADER, signature), ("content-type", content_type::CHECK_IN.to_owned())];
    assert_eq!(speaker.send("/checkin", &headers, leave).await, Reply::refused(400));
    assert_eq!(speaker.idle().await, Reply::fine());
}

/// One of each kind.
pub fn messages(device: &Device) -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let check_ins = [
        CheckIn::Authenticate(device.authenticate_message()),
        CheckIn::TokenUpdate(device.token_update_message()),
        CheckIn::CheckOut(device.check_out_message()),
    ];
    let check_ins = check_ins.iter().map(|message| ("/checkin", content_type::CHECK_IN, message.encode()));
    let idle = Report::idle(device.model().identifiers()).encode();
    check_ins.chain([("/mdm", content_type::REPORT, idle)]).collect()
}

pub fn url(server: &TestServer, path: &str) -> String {
    format!("{}{path}", server.device_url())
}
