//! Reads one request as strictly as APNs does.

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Method};
use serde::Deserialize;
use uuid::Uuid;

use super::refusal::Refusal;

/// APNs takes payloads of at most 4 KiB.
pub(super) const MAX_PAYLOAD: usize = 4096;
/// Our own limit: Apple names none.
const MAX_TOKEN: usize = 1024;
const HEADERS: [&str; 6] =
    ["apns-id", "apns-push-type", "apns-topic", "apns-expiration", "apns-priority", "apns-collapse-id"];

/// A well-formed push.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Notification {
    pub(super) id: Option<Uuid>,
    pub(super) token: Vec<u8>,
    pub(super) topic: String,
    pub(super) magic: String,
    /// Seconds since 1970; 0 is "do not keep it".
    pub(super) expires: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Payload {
    mdm: String,
}

/// Judges a request of a client whose certificate is for `certified` (the `UID` of its subject). `body` is the
/// payload, `None` if it is larger than [`MAX_PAYLOAD`].
pub(super) fn read(
    head: &Parts,
    body: Option<&Bytes>,
    certified: Option<&str>,
) -> Result<Notification, Refusal> {
    if head.method != Method::POST {
        return Err(Refusal::new(405, "MethodNotAllowed"));
    }
    let token = token(head.uri.path())?;
    let headers = &head.headers;
    if HEADERS.iter().any(|name| headers.get_all(*name).iter().nth(1).is_some()) {
        return Err(refused("DuplicateHeaders"));
    }
    let id = id(headers)?;
    if header(headers, "apns-push-type")? != Some("mdm") {
        return Err(refused("InvalidPushType"));
    }
    if !matches!(header(headers, "apns-priority")?, None | Some("1" | "5" | "10")) {
        return Err(refused("BadPriority"));
    }
    let expires = expires(headers)?;
    let topic = topic(headers, certified)?;
    let magic = magic(body)?;
    Ok(Notification { id, token, topic, magic, expires })
}

fn refused(reason: &str) -> Refusal {
    Refusal::new(400, reason)
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Refusal> {
    headers.get(name).map(|value| value.to_str().map_err(|_| refused("BadMessageId"))).transpose()
}

fn token(path: &str) -> Result<Vec<u8>, Refusal> {
    let hex = path.strip_prefix("/3/device/").ok_or_else(|| Refusal::new(404, "BadPath"))?;
    if hex.is_empty() {
        return Err(refused("MissingDeviceToken"));
    }
    if hex.len() > 2 * MAX_TOKEN || hex.len() % 2 != 0 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(refused("BadDeviceToken"));
    }
    let bytes = (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16));
    bytes.collect::<Result<_, _>>().map_err(|_| refused("BadDeviceToken"))
}

fn id(headers: &HeaderMap) -> Result<Option<Uuid>, Refusal> {
    let id = header(headers, "apns-id")?.map(Uuid::try_parse);
    id.transpose().map_err(|_| refused("BadMessageId"))
}

fn expires(headers: &HeaderMap) -> Result<u64, Refusal> {
    match header(headers, "apns-expiration")? {
        None => Ok(0),
        // Digits only: Rust would take a plus sign too.
        Some(value) if value.bytes().all(|byte| byte.is_ascii_digit()) => {
            value.parse().map_err(|_| refused("BadExpirationDate"))
        }
        Some(_) => Err(refused("BadExpirationDate")),
    }
}

fn topic(headers: &HeaderMap, certified: Option<&str>) -> Result<String, Refusal> {
    let certified = certified.ok_or_else(|| Refusal::new(403, "BadCertificate"))?;
    match header(headers, "apns-topic")? {
        None => Err(refused("MissingTopic")),
        Some("") => Err(refused("BadTopic")),
        Some(topic) if topic == certified => Ok(topic.to_owned()),
        Some(_) => Err(refused("TopicDisallowed")),
    }
}

/// `BadPayload` is our own word. Apple has none, since it passes any JSON on; but then no device would wake.
fn magic(body: Option<&Bytes>) -> Result<String, Refusal> {
    let body = body.ok_or_else(|| Refusal::new(413, "PayloadTooLarge"))?;
    if body.is_empty() {
        return Err(refused("PayloadEmpty"));
    }
    let payload: Payload = serde_json::from_slice(body).map_err(|_| refused("BadPayload"))?;
    Ok(payload.mdm)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;
    use proptest::prelude::*;

    const TOPIC: &str = "com.apple.mgmt.External.1";

    /// A good push, changed by `change`, read for a client certified for `TOPIC`.
    fn reading(change: impl FnOnce(&mut Parts, &mut Bytes)) -> Result<Notification, Refusal> {
        let request = Request::post("https://127.0.0.1/3/device/00abff")
            .header("apns-push-type", "mdm")
            .header("apns-topic", TOPIC)
            .header("apns-expiration", "1700000000")
            .header("apns-priority", "10");
        let (mut head, mut body) = request.body(Bytes::from(r#"{"mdm":"M"}"#)).unwrap().into_parts();
        change(&mut head, &mut body);
        read(&head, (body.len() <= MAX_PAYLOAD).then_some(&body), Some(TOPIC))
    }

    fn refusal(change: impl FnOnce(&mut Parts, &mut Bytes)) -> (u16, String) {
        let refusal = reading(change).unwrap_err();
        (refusal.status, refusal.reason)
    }

    fn with_header(name: &'static str, value: &str) -> (u16, String) {
        refusal(|head, _| {
            head.headers.insert(name, value.parse().unwrap());
        })
    }

    #[test]
    fn a_good_push_is_read() {
        let expected = Notification {
            id: None,
            token: vec![0x00, 0xab, 0xff],
            topic: TOPIC.to_owned(),
            magic: "M".to_owned(),
            expires: 1_700_000_000,
        };
        assert_eq!(reading(|_, _| {}).unwrap(), expected);
    }

    #[test]
    fn only_a_post_to_a_device_is_read() {
        assert_eq!(refusal(|head, _| head.method = Method::GET), (405, "MethodNotAllowed".to_owned()));
        for (path, status, reason) in [
            ("/2/device/00ab", 404, "BadPath"),
            ("/3/device/", 400, "MissingDeviceToken"),
            ("/3/device/00a", 400, "BadDeviceToken"),
            ("/3/device/00-ab", 400, "BadDeviceToken"),
        ] {
            assert_eq!(refusal(|head, _| head.uri = path.parse().unwrap()), (status, reason.to_owned()));
        }
    }

    #[test]
    fn every_header_is_judged() {
        for (name, value, reason) in [
            ("apns-push-type", "alert", "InvalidPushType"),
            ("apns-expiration", "tomorrow", "BadExpirationDate"),
            ("apns-expiration", "+5", "BadExpirationDate"),
            ("apns-expiration", "99999999999999999999999", "BadExpirationDate"),
            ("apns-priority", "11", "BadPriority"),
            ("apns-id", "7", "BadMessageId"),
            ("apns-topic", "", "BadTopic"),
            ("apns-topic", "com.apple.mgmt.External.2", "TopicDisallowed"),
        ] {
            assert_eq!(with_header(name, value), (400, reason.to_owned()), "{name}: {value}");
        }
        let twice = refusal(|head, _| {
            head.headers.append("apns-topic", TOPIC.parse().unwrap());
        });
        assert_eq!(twice, (400, "DuplicateHeaders".to_owned()));
        let missing = |name: &'static str| {
            refusal(move |head, _| {
                head.headers.remove(name);
            })
        };
        assert_eq!(missing("apns-topic"), (400, "MissingTopic".to_owned()));
        assert_eq!(missing("apns-push-type"), (400, "InvalidPushType".to_owned()));
    }

    #[test]
    fn the_payload_is_one_magic_and_nothing_else() {
        for payload in
            [r#"{"mdm":"M","aps":{}}"#, r#"{"mdm":"M","mdm":"N"}"#, "{}", r#"{"mdm":7}"#, "M", "[", "\u{0}"]
        {
            let refusal = refusal(|_, body| *body = payload.into());
            assert_eq!(refusal, (400, "BadPayload".to_owned()), "{payload}");
        }
        assert_eq!(refusal(|_, body| body.clear()), (400, "PayloadEmpty".to_owned()));
        let large = format!(r#"{{"mdm":"{}"}}"#, "m".repeat(MAX_PAYLOAD));
        assert_eq!(refusal(|_, body| *body = large.into()), (413, "PayloadTooLarge".to_owned()));
    }

    #[test]
    fn a_certificate_without_a_topic_may_not_push() {
        let (head, body) = Request::post("/3/device/00").body(Bytes::new()).unwrap().into_parts();
        let mut head = head;
        head.headers.insert("apns-push-type", "mdm".parse().unwrap());
        let refusal = read(&head, Some(&body), None).unwrap_err();
        assert_eq!((refusal.status, refusal.reason.as_str()), (403, "BadCertificate"));
    }

    proptest! {
        #[test]
        fn no_request_breaks_the_reading(path in "/[ -~&&[^ ?#\"<>\\\\^`{}|]]{0,60}", value in "[ -~]{0,30}", body in ".{0,60}") {
            let outcome = reading(|head, payload| {
                if let Ok(uri) = path.parse() {
                    head.uri = uri;
                }
                head.headers.insert("apns-expiration", value.parse().unwrap());
                *payload = body.clone().into();
            });
            prop_assert!(outcome.is_ok() || outcome.is_err_and(|refusal| (400..500).contains(&refusal.status)));
        }
    }
}
