//! How a poll may be written, and what its answer is made of.

use apple::{Report, content_type};
use simulator::apple_device::{By, Request, SIGNATURE_HEADER};
use testkit::{on_both, server::TestServer};

use crate::speaker::{Reply, Speaker};

on_both!(a_poll_may_come_with_any_content_type_or_none);
/// 4: matched by prefix, since parameters occur; and some systems send none at all.
async fn a_poll_may_come_with_any_content_type_or_none(server: TestServer) {
    let iphone = server.enrolled_iphone().await;
    server.lock(&iphone).await;
    let speaker = Speaker::new(&server, iphone.credential().clone(), iphone.model().udid.clone());
    let idle = Report::idle(speaker.ids()).encode();
    for kind in [
        None,
        Some(content_type::REPORT),
        Some("application/x-apple-aspen-mdm; charset=UTF-8"),
        Some("Application/X-Apple-Aspen-MDM"),
        Some("text/xml"),
        Some("application/x-www-form-urlencoded"),
        Some(""),
        Some("nonsense"),
    ] {
        let reply = speaker.put("/mdm", kind, idle.clone()).await;
        assert_eq!(reply.status, 200, "{kind:?}");
        assert!(reply.text().contains("DeviceLock"), "{kind:?}");
    }
}

on_both!(nothing_to_do_is_an_empty_200);
/// 5: an empty 200 ends the conversation.
async fn nothing_to_do_is_an_empty_200(server: TestServer) {
    let iphone = server.enrolled_iphone().await;
    let idle = Report::idle(iphone.model().identifiers()).encode();
    let request = Request::put(format!("{}/mdm", server.device_url()), content_type::REPORT, idle);
    let answer = iphone.send(request, By::Itself).await.unwrap();
    assert_eq!((answer.status, answer.body.len(), answer.content_type), (200, 0, None));
    assert_eq!(answer.headers["content-length"], "0");
}

on_both!(a_command_is_xml_with_apples_two_keys);
async fn a_command_is_xml_with_apples_two_keys(server: TestServer) {
    let iphone = server.enrolled_iphone().await;
    let id = server.lock(&iphone).await;
    let speaker = Speaker::new(&server, iphone.credential().clone(), iphone.model().udid.clone());
    let reply = speaker.idle().await;
    assert!(reply.content_type.as_deref().unwrap().starts_with("application/xml"));
    let keys = crate::enrollment::keys(&reply.body);
    assert_eq!(keys.len(), 2, "{keys:?}");
    let command = keys["Command"].as_dictionary().unwrap();
    assert_eq!(command["RequestType"].as_string(), Some("DeviceLock"));
    assert_eq!(keys["CommandUUID"].as_string().unwrap(), id.to_string().to_uppercase());
}

#[tokio::test]
async fn a_report_may_be_a_binary_property_list() {
    let server = TestServer::start().await;
    let mut iphone = server.enrolled_iphone().await;
    server.lock(&iphone).await;
    iphone.idle().await.unwrap();
    let uuid = iphone.current().unwrap().command_uuid.clone();
    let speaker = Speaker::new(&server, iphone.credential().clone(), iphone.model().udid.clone());
    let body = binary(&[("CommandUUID", &uuid), ("Status", "Acknowledged"), ("UDID", &speaker.udid)]);
    assert_eq!(speaker.put("/mdm", Some(content_type::REPORT), body).await, Reply::fine());
    assert_eq!(iphone.idle().await, Ok(None));
}

#[tokio::test]
async fn a_status_that_nobody_knows_is_a_bad_request() {
    let server = TestServer::start().await;
    let iphone = server.enrolled_iphone().await;
    let speaker = Speaker::new(&server, iphone.credential().clone(), iphone.model().udid.clone());
    let idle = String::from_utf8(Report::idle(speaker.ids()).encode()).unwrap();
    for other in ["Later", "", "idle"] {
        let body = idle.replace("<string>Idle</string>", &format!("<string>{other}</string>"));
        assert_ne!(body, idle);
        let reply = speaker.put("/mdm", Some(content_type::REPORT), body.into_bytes()).await;
        assert_eq!(reply, Reply::refused(400), "{other}");
    }
}

#[tokio::test]
async fn only_put_is_served() {
    let server = TestServer::start().await;
    let iphone = server.enrolled_iphone().await;
    let idle = Report::idle(iphone.model().identifiers()).encode();
    let signature = iphone.credential().signature(&idle, pki::Hash::Sha256, server.clock().as_closure()());
    let signature = signature.unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    for path in ["/mdm", "/checkin"] {
        for method in ["GET", "POST", "DELETE", "PATCH", "OPTIONS"] {
            let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
            let request = client.request(method, format!("{}{path}", server.device_url()));
            let response = request.header(SIGNATURE_HEADER, &signature).body(idle.clone()).send().await;
            assert_eq!(response.unwrap().status(), 405, "{path}");
        }
    }
}

/// A binary property list of short texts.
fn binary(pairs: &[(&str, &str)]) -> Vec<u8> {
    let texts: Vec<&str> =
        pairs.iter().map(|(key, _)| *key).chain(pairs.iter().map(|(_, value)| *value)).collect();
    let count = u8::try_from(pairs.len()).unwrap();
    let mut out = b"bplist00".to_vec();
    let mut offsets = vec![u8::try_from(out.len()).unwrap()];
    out.push(0xd0 | count);
    out.extend(1..=2 * count);
    for text in &texts {
        offsets.push(u8::try_from(out.len()).unwrap());
        let length = u8::try_from(text.len()).unwrap();
        if length < 15 {
            out.push(0x50 | length);
        } else {
            out.extend([0x5f, 0x10, length]);
        }
        out.extend(text.as_bytes());
    }
    let table = u8::try_from(out.len()).unwrap();
    out.extend(&offsets);
    out.extend([0; 6]);
    out.extend([1, 1]);
    out.extend([0; 7]);
    out.push(u8::try_from(offsets.len()).unwrap());
    out.extend([0; 15]);
    out.push(table);
    out
}
