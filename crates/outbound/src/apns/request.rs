//! Writes a push as APNs wants it.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request};
use http_body_util::Full;
use serde::Serialize;

use super::endpoint::Endpoint;
use super::{Outcome, Push};

/// APNs takes payloads of at most 4 KiB.
const MAX_PAYLOAD: usize = 4096;

/// Apple promises no length (today 32 bytes, 80 on some systems); this is far above and still a short path.
const MAX_TOKEN: usize = 1024;

/// What is before the token in the path of a push.
const PATH: &str = "/3/device/";

const PUSH_TYPE: HeaderName = HeaderName::from_static("apns-push-type");
const TOPIC: HeaderName = HeaderName::from_static("apns-topic");
const EXPIRATION: HeaderName = HeaderName::from_static("apns-expiration");
const PRIORITY: HeaderName = HeaderName::from_static("apns-priority");

/// Why a push cannot even be written; told as APNs itself would.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unwritable {
    MissingDeviceToken,
    BadDeviceToken,
    BadTopic,
    PayloadTooLarge,
}

impl From<Unwritable> for Outcome {
    fn from(reason: Unwritable) -> Self {
        let status = if reason == Unwritable::PayloadTooLarge { 413 } else { 400 };
        Outcome::Refused { status, reason: format!("{reason:?}") }
    }
}

#[derive(Serialize)]
struct Payload<'a> {
    mdm: &'a str,
}

/// `apns-expiration` of a push that is sent `now`: seconds since 1970, or 0 for "keep it not at all".
pub(super) fn expires(now: SystemTime, keep: Duration) -> u64 {
    if keep.is_zero() {
        return 0;
    }
    let since_1970 = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    since_1970.saturating_add(keep).as_secs()
}

/// The request that wakes the device of `push`.
pub(super) fn write(
    endpoint: &Endpoint,
    topic: &str,
    push: Push<'_>,
    expires: u64,
) -> Result<Request<Full<Bytes>>, Unwritable> {
    let mut request = Request::new(Full::new(payload(push.magic)?));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = endpoint.address(path(push.token)?).ok_or(Unwritable::BadDeviceToken)?;
    let headers = request.headers_mut();
    headers.insert(PUSH_TYPE, HeaderValue::from_static("mdm"));
    headers.insert(TOPIC, topic_header(topic)?);
    headers.insert(EXPIRATION, HeaderValue::from(expires));
    headers.insert(PRIORITY, HeaderValue::from_static("10"));
    Ok(request)
}

fn payload(magic: &str) -> Result<Bytes, Unwritable> {
    // The length first: what a device called its magic is not copied at any size.
    if magic.len() > MAX_PAYLOAD {
        return Err(Unwritable::PayloadTooLarge);
    }
    let bytes = serde_json::to_vec(&Payload { mdm: magic }).map_err(|_| Unwritable::PayloadTooLarge)?;
    if bytes.len() > MAX_PAYLOAD {
        return Err(Unwritable::PayloadTooLarge);
    }
    Ok(bytes.into())
}

fn path(token: &[u8]) -> Result<String, Unwritable> {
    match token.len() {
        0 => return Err(Unwritable::MissingDeviceToken),
        1..=MAX_TOKEN => {}
        _ => return Err(Unwritable::BadDeviceToken),
    }
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let mut path = String::with_capacity(PATH.len() + 2 * token.len());
    path.push_str(PATH);
    path.extend(token.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|digit| DIGITS[usize::from(digit)]));
    Ok(path)
}

fn topic_header(topic: &str) -> Result<HeaderValue, Unwritable> {
    if topic.is_empty() || !topic.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Unwritable::BadTopic);
    }
    HeaderValue::from_str(topic).map_err(|_| Unwritable::BadTopic)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;
    use proptest::prelude::*;

    fn written(token: &[u8], magic: &str) -> Result<Request<Full<Bytes>>, Unwritable> {
        write(
            &Endpoint::parse("https://api.push.apple.com").unwrap(),
            "com.apple.mgmt.External.1",
            Push { token, magic },
            1_700,
        )
    }

    fn body(request: Request<Full<Bytes>>) -> Bytes {
        let mut body = request.into_body();
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let std::task::Poll::Ready(frame) = std::pin::pin!(body.frame()).poll(&mut context) else {
            panic!("a full body waits for nothing");
        };
        frame.unwrap().unwrap().into_data().unwrap()
    }

    #[test]
    fn a_push_carries_what_apple_asks_for_and_nothing_else() {
        let request = written(&[0x00, 0xab, 0xff], "5F1B0E7A-4A33").unwrap();
        assert_eq!(request.method(), Method::POST);
        assert_eq!(request.uri(), "https://api.push.apple.com/3/device/00abff");
        let mut headers: Vec<_> =
            request.headers().iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
        headers.sort_unstable();
        assert_eq!(
            headers,
            [
                ("apns-expiration", "1700"),
                ("apns-priority", "10"),
                ("apns-push-type", "mdm"),
                ("apns-topic", "com.apple.mgmt.External.1"),
            ]
        );
        assert_eq!(body(request), r#"{"mdm":"5F1B0E7A-4A33"}"#);
    }

    #[test]
    fn a_push_without_a_token_is_not_sent() {
        assert_eq!(written(&[], "M").unwrap_err(), Unwritable::MissingDeviceToken);
    }

    #[test]
    fn a_token_or_a_magic_of_any_size_is_refused_as_apns_would() {
        assert_eq!(written(&[7; MAX_TOKEN + 1], "M").unwrap_err(), Unwritable::BadDeviceToken);
        assert!(written(&[7; MAX_TOKEN], "M").is_ok());
        assert_eq!(written(&[7], &"m".repeat(4096)).unwrap_err(), Unwritable::PayloadTooLarge);
        assert_eq!(written(&[7], &"\"".repeat(3000)).unwrap_err(), Unwritable::PayloadTooLarge);
        assert!(written(&[7], &"m".repeat(4096 - r#"{"mdm":""}"#.len())).is_ok());
        let outcome = Outcome::Refused { status: 413, reason: "PayloadTooLarge".to_owned() };
        assert_eq!(Outcome::from(Unwritable::PayloadTooLarge), outcome);
    }

    #[test]
    fn a_topic_cannot_smuggle_a_header() {
        for topic in ["", "a\r\nb: c", "a b", "ä"] {
            assert_eq!(topic_header(topic).unwrap_err(), Unwritable::BadTopic, "{topic:?}");
        }
    }

    #[test]
    fn a_push_expires_at_a_moment_not_after_a_span() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_999);
        assert_eq!(expires(now, Duration::from_secs(60)), 1_700_000_060);
        assert_eq!(expires(now, Duration::ZERO), 0);
        assert_eq!(expires(now, Duration::MAX), u64::MAX);
        assert_eq!(expires(SystemTime::UNIX_EPOCH - Duration::from_secs(9), Duration::from_secs(60)), 60);
    }

    proptest! {
        #[test]
        fn any_magic_arrives_as_it_was_said(magic in ".{0,200}", token in prop::collection::vec(any::<u8>(), 1..80)) {
            let request = written(&token, &magic).unwrap();
            let payload: serde_json::Value = serde_json::from_slice(&body(request)).unwrap();
            prop_assert_eq!(payload, serde_json::json!({ "mdm": magic }));
        }
    }
}
