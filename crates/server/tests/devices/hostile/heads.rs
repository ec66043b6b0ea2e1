//! Heads of requests that are too long, too many, or none.

use super::{Besieged, raw_http::Raw};

#[tokio::test]
async fn a_head_that_does_not_end_is_refused() {
    let besieged = Besieged::new().await;
    let long = format!("X-Long: {}", "a".repeat(200 << 10));
    let many: Vec<String> = (0..300).map(|number| format!("X-{number}: a")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    for headers in [&[long.as_str()][..], &many] {
        let mut raw = Raw::head(&besieged.server, "PUT /mdm", headers).await;
        assert!(matches!(raw.status().await, Some(431) | None));
    }
    besieged.still_stands().await;
}

#[tokio::test]
async fn a_line_that_does_not_end_is_refused() {
    let besieged = Besieged::new().await;
    for length in [70 << 10, 1 << 20] {
        let mut raw = Raw::head(&besieged.server, &format!("GET /scep?{}", "a".repeat(length)), &[]).await;
        assert!(matches!(raw.status().await, Some(414 | 431) | None));
    }
    besieged.still_stands().await;
}

#[tokio::test]
async fn what_is_no_http_is_hung_up_on() {
    let besieged = Besieged::new().await;
    // Nonsense, TLS on a plain port, SSH, an HTTP/2 that goes wrong at once, an HTTP/1 that never was.
    for bytes in [
        &b"GARBAGE\r\n\r\n"[..],
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        b"PUT /mdm HTTP/9.9\r\nHost: x\r\n\r\n",
        b"PUT /mdm HTTP/1.1\r\nHost: x\r\nBroken Header\r\n\r\n",
        b"PUT /mdm HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"PUT /mdm HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
    ] {
        let mut raw = Raw::open(&besieged.server).await;
        raw.write(bytes).await;
        raw.finish().await;
        let answer = raw.rest().await;
        assert!(!answer.windows(12).any(|window| window == b"HTTP/1.1 200"), "{bytes:?}");
    }
    besieged.still_stands().await;
}

/// Whoever could hide a request in another's body could speak as that device's connection.
#[tokio::test]
async fn a_length_that_is_told_in_two_ways_hides_no_request() {
    let besieged = Besieged::new().await;
    let hidden = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    for headers in [
        &["Content-Length: 0", "Content-Length: 36"][..],
        &["Content-Length: 36", "Transfer-Encoding: chunked"],
        &["Transfer-Encoding: chunked", "Transfer-Encoding: identity"],
    ] {
        let mut raw = Raw::head(&besieged.server, "PUT /mdm", headers).await;
        raw.write(hidden.as_bytes()).await;
        raw.finish().await;
        let answer = raw.rest().await;
        assert!(!answer.windows(12).any(|window| window == b"HTTP/1.1 200"), "{headers:?}");
    }
    besieged.still_stands().await;
}
