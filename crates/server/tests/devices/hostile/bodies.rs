//! Bodies that are too long, or too slow.

use std::time::Duration;

use apple::content_type::{CHECK_IN, REPORT};
use base64::{Engine, engine::general_purpose::STANDARD};

use super::{Besieged, raw_http::Raw};

const CHECK_IN_LIMIT: usize = 1 << 20;
const REPORT_LIMIT: usize = 16 << 20;

#[tokio::test]
async fn a_body_that_announces_too_much_is_refused_before_it_comes() {
    let besieged = Besieged::new().await;
    let signature = format!("Mdm-Signature: {}", STANDARD.encode([0x30; 100]));
    for (line, kind, limit) in [
        ("PUT /checkin", CHECK_IN, CHECK_IN_LIMIT),
        ("PUT /mdm", CHECK_IN, CHECK_IN_LIMIT),
        ("PUT /mdm", REPORT, REPORT_LIMIT),
        ("PUT /mdm", "text/plain", REPORT_LIMIT),
        ("POST /scep?operation=PKIOperation", "application/x-pki-message", CHECK_IN_LIMIT),
    ] {
        let kind = format!("Content-Type: {kind}");
        for length in [limit + 1, usize::MAX / 2] {
            let length = format!("Content-Length: {length}");
            let mut raw = Raw::head(&besieged.server, line, &[&signature, &kind, &length]).await;
            assert_eq!(raw.status().await, Some(413), "{line} with {kind}, {length}");
        }
    }
    besieged.still_stands().await;
}

#[tokio::test]
async fn a_body_that_announces_nothing_is_refused_when_it_is_too_long() {
    let besieged = Besieged::new().await;
    let signature = format!("Mdm-Signature: {}", STANDARD.encode([0x30; 100]));
    let chunked = "Transfer-Encoding: chunked";
    for line in ["PUT /checkin", "POST /scep?operation=PKIOperation"] {
        let mut raw = Raw::head(&besieged.server, line, &[&signature, chunked]).await;
        let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x1_0000));
        for _ in 0..17 {
            raw.write(chunk.as_bytes()).await;
        }
        assert_eq!(raw.status().await, Some(413), "{line}");
    }
    besieged.still_stands().await;
}

/// Nobody's body is not read at all.
#[tokio::test]
async fn a_long_body_of_nobody_is_refused_for_its_sender() {
    let besieged = Besieged::new().await;
    for length in [1, CHECK_IN_LIMIT, REPORT_LIMIT + 1] {
        let length = format!("Content-Length: {length}");
        let mut raw = Raw::head(&besieged.server, "PUT /mdm", &[&length]).await;
        assert_eq!(raw.status().await, Some(400), "{length}");
    }
    besieged.still_stands().await;
}

#[tokio::test]
async fn the_longest_bodies_are_taken() {
    let besieged = Besieged::new().await;
    let traitor = besieged.traitor();
    let padded = |mut body: Vec<u8>, length: usize| {
        body.resize(length, b' ');
        body
    };
    let update = besieged.iphone.token_update_message();
    let check_in = padded(apple::CheckIn::TokenUpdate(update).encode(), CHECK_IN_LIMIT);
    assert_eq!(traitor.put("/checkin", Some(CHECK_IN), check_in).await.status, 200);
    let report = padded(apple::Report::idle(traitor.ids()).encode(), REPORT_LIMIT);
    assert_eq!(traitor.put("/mdm", Some(REPORT), report).await.status, 200);
    besieged.still_stands().await;
}

/// Time passes by the test's hand only, so that nobody waits.
#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let besieged = Besieged::new().await;
    let signature = format!("Mdm-Signature: {}", STANDARD.encode([0x30; 100]));
    for line in ["PUT /mdm", "POST /scep?operation=PKIOperation"] {
        let headers = [&signature, "Content-Length: 1000", "Expect: 100-continue"];
        let mut raw = Raw::head(&besieged.server, line, &headers).await;
        raw.is_asked_for_the_body().await;
        raw.write(b"<plist>").await;
        pass(Duration::from_secs(31)).await;
        assert_eq!(raw.status().await, Some(408), "{line}");
    }
    besieged.still_stands().await;
}

#[tokio::test]
async fn a_body_that_breaks_off_harms_nobody() {
    let besieged = Besieged::new().await;
    let signature = format!("Mdm-Signature: {}", STANDARD.encode([0x30; 100]));
    for _ in 0..20 {
        let headers = [&signature, "Content-Length: 1000", "Expect: 100-continue"];
        let mut raw = Raw::head(&besieged.server, "PUT /mdm", &headers).await;
        raw.is_asked_for_the_body().await;
        raw.write(b"<plist>").await;
    }
    besieged.still_stands().await;
}

/// Lets time pass for every timer of this process.
pub async fn pass(duration: Duration) {
    tokio::time::pause();
    tokio::time::advance(duration).await;
    tokio::time::resume();
}
