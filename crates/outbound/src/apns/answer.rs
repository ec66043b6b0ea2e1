//! What an answer of APNs means.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use serde::Deserialize;

use super::Outcome;

/// More than any answer of APNs has; the rest of a longer one is not read.
const MAX_BODY: usize = 4096;
/// A reason goes into logs and events.
const MAX_REASON: usize = 100;
/// An order to wait longer than a day is not believed.
const MAX_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

/// The answer to one push, read to its end.
pub(super) struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

/// Apple's error body; `timestamp` comes with status 410 only.
#[derive(Default, Deserialize)]
struct Complaint {
    #[serde(default)]
    reason: String,
    timestamp: Option<u64>,
}

impl Answer {
    /// Reads the body. The status counts even if the body is too long or breaks off.
    pub(super) async fn read(response: Response<Incoming>) -> Self {
        let (head, body) = response.into_parts();
        let body = Limited::new(body, MAX_BODY).collect().await;
        let body = body.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        Self { status: head.status, headers: head.headers, body }
    }

    /// Sorts the answer by what there is to do; `now` turns a date in `Retry-After` into a span.
    pub(super) fn outcome(&self, now: SystemTime) -> Outcome {
        let complaint = self.complaint();
        let reason: String =
            complaint.reason.chars().filter(|sign| !sign.is_control()).take(MAX_REASON).collect();
        match self.status.as_u16() {
            200 => Outcome::Accepted { apns_id: self.header("apns-id").map(str::to_owned) },
            410 => Outcome::TokenGone { since: complaint.timestamp },
            // Says that the connection was idle too long, not that the push is wrong.
            400 if reason == "IdleTimeout" => self.try_later(&reason, now),
            429 => self.try_later(&reason, now),
            status @ 400..500 => Outcome::Refused { status, reason },
            _ => self.try_later(&reason, now),
        }
    }

    /// What APNs finds wrong; nothing where it says nothing, as of almost all pushes.
    fn complaint(&self) -> Complaint {
        if self.body.is_empty() {
            return Complaint::default();
        }
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    fn try_later(&self, reason: &str, now: SystemTime) -> Outcome {
        let after = self.header("retry-after").and_then(|value| wait(value, now));
        let why = format!("APNs answered {} {reason}", self.status.as_u16());
        Outcome::TryLater { after, why: why.trim_end().to_owned() }
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok().filter(|value| value.len() <= MAX_REASON)
    }
}

/// `Retry-After` (RFC 9110, 10.2.3): seconds, or a date.
fn wait(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    let span = if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        Duration::from_secs(value.parse().unwrap_or(u64::MAX))
    } else {
        httpdate::parse_http_date(value).ok()?.duration_since(now).unwrap_or_default()
    };
    Some(span.min(MAX_WAIT))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn outcome(status: u16, headers: &[(&'static str, &str)], body: &str) -> Outcome {
        let status = StatusCode::from_u16(status).unwrap();
        let headers =
            headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        Answer { status, headers, body: Bytes::copy_from_slice(body.as_bytes()) }.outcome(now())
    }

    /// Sun, 06 Nov 1994 08:49:37 GMT, the date of RFC 9110's examples.
    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777)
    }

    #[test]
    fn an_accepted_push_has_apples_name_for_it() {
        let accepted = outcome(200, &[("apns-id", "EC1BF194-B3B2-424A-89A9-5A918A6E6B5D")], "");
        let apns_id = Some("EC1BF194-B3B2-424A-89A9-5A918A6E6B5D".to_owned());
        assert_eq!(accepted, Outcome::Accepted { apns_id });
        assert_eq!(outcome(200, &[], ""), Outcome::Accepted { apns_id: None });
    }

    #[test]
    fn a_gone_token_is_gone_since_a_moment_or_for_no_told_time() {
        let body = r#"{"reason":"Unregistered","timestamp":1700000000123}"#;
        assert_eq!(outcome(410, &[], body), Outcome::TokenGone { since: Some(1_700_000_000_123) });
        assert_eq!(outcome(410, &[], r#"{"reason":"ExpiredToken"}"#), Outcome::TokenGone { since: None });
        assert_eq!(outcome(410, &[], "<html>"), Outcome::TokenGone { since: None });
    }

    #[test]
    fn a_reason_that_blames_the_token_does_not_retire_it() {
        for reason in ["BadDeviceToken", "DeviceTokenNotForTopic", "Unregistered"] {
            let body = format!(r#"{{"reason":"{reason}","timestamp":1}}"#);
            assert_eq!(outcome(400, &[], &body), Outcome::Refused { status: 400, reason: reason.to_owned() });
        }
    }

    #[test]
    fn a_reason_is_a_word_that_every_log_and_database_takes() {
        let outcome = outcome(400, &[], r#"{"reason":"Bad\u0000\nTopic"}"#);
        assert_eq!(outcome, Outcome::Refused { status: 400, reason: "BadTopic".to_owned() });
    }

    #[test]
    fn an_idle_connection_and_a_busy_service_are_no_refusals() {
        let later = |status, body| match outcome(status, &[("retry-after", "17")], body) {
            Outcome::TryLater { after, why } => (after, why),
            other => panic!("{other:?}"),
        };
        let after = Some(Duration::from_secs(17));
        let idle = later(400, r#"{"reason":"IdleTimeout"}"#);
        assert_eq!(idle, (after, "APNs answered 400 IdleTimeout".to_owned()));
        assert_eq!(later(429, ""), (after, "APNs answered 429".to_owned()));
        assert_eq!(later(503, "oops"), (after, "APNs answered 503".to_owned()));
        assert_eq!(later(302, ""), (after, "APNs answered 302".to_owned()));
    }

    #[test]
    fn retry_after_is_read_as_seconds_or_as_a_date() {
        assert_eq!(wait("120", now()), Some(Duration::from_secs(120)));
        assert_eq!(wait("Sun, 06 Nov 1994 08:50:37 GMT", now()), Some(Duration::from_secs(60)));
        assert_eq!(wait("Sun, 06 Nov 1994 08:00:00 GMT", now()), Some(Duration::ZERO));
        assert_eq!(wait("99999999999999999999999", now()), Some(MAX_WAIT));
        for nonsense in ["", "-1", "1.5", "soon"] {
            assert_eq!(wait(nonsense, now()), None, "{nonsense}");
        }
    }

    proptest! {
        #[test]
        fn whatever_comes_back_only_410_retires_a_token(
            status in 100_u16..1000,
            retry_after in "[ -~]{0,40}",
            body in prop_oneof![".{0,200}", r#"\{"reason":"[A-Za-z]{0,150}","timestamp":[0-9]{1,25}\}"#],
        ) {
            let outcome = outcome(status, &[("retry-after", &retry_after)], &body);
            prop_assert_eq!(matches!(outcome, Outcome::TokenGone { .. }), status == 410);
            prop_assert_eq!(matches!(outcome, Outcome::Accepted { .. }), status == 200);
        }
    }
}
