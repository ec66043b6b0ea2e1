//! Reads a device's request: what came, and from whom.

use apple::{CheckIn, ContentType, Malformed, Message, Report};
use axum::body::Body;
use domain::Credential;
use http::{HeaderMap, HeaderName, header::CONTENT_TYPE, request::Parts};

use super::identity::Proofs;
use crate::failure::Failure;
use crate::limits::{BodyBudget, HeldBody, REPORT_BODY, SMALL_BODY};
use crate::peer::ProxyTrust;

/// Bodies up to here are verified and parsed at once; longer ones would keep the other requests of this
/// thread waiting.
const AT_ONCE: usize = 256 << 10;

/// What is needed to tell who sent what.
#[derive(Debug)]
pub(crate) struct Intake {
    pub(crate) trust: ProxyTrust,
    pub(crate) client_cert_header: Option<HeaderName>,
    pub(crate) bodies: BodyBudget,
}

/// What a body is to be read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    CheckIn,
    Report,
    /// A check-in if it has a `MessageType`.
    Either,
}

/// A message, and who has proven to have sent it.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) credential: Credential,
    pub(super) message: Message,
    pub(super) body: HeldBody,
}

impl Expected {
    /// Content types that are not Apple's say nothing: polls may come without one, and tools send their own.
    pub(super) fn by_content_type(headers: &HeaderMap) -> Self {
        let header = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        match header.and_then(ContentType::from_header) {
            Some(ContentType::CheckIn) => Self::CheckIn,
            Some(ContentType::Report) => Self::Report,
            Some(ContentType::Profile) | None => Self::Either,
        }
    }

    fn limit(self) -> usize {
        match self {
            Self::CheckIn => SMALL_BODY,
            Self::Report | Self::Either => REPORT_BODY,
        }
    }

    fn parse(self, body: &[u8]) -> Result<Message, Malformed> {
        match self {
            Self::CheckIn => CheckIn::parse(body).map(Message::CheckIn),
            Self::Report => Report::parse(body).map(Message::Report),
            Self::Either => Message::parse(body),
        }
    }
}

impl Intake {
    /// Reads a request to its end. Who shows nothing is refused before the body is read, and nothing is
    /// parsed before its sender is known.
    pub(super) async fn receive(
        &self,
        parts: &Parts,
        body: Body,
        expected: Expected,
    ) -> Result<Received, Failure> {
        let proofs = Proofs::of(parts, &self.trust, self.client_cert_header.as_ref())?;
        let body = self.bodies.read(body, expected.limit()).await?;
        if body.bytes().len() <= AT_ONCE {
            return open(proofs, body, expected);
        }
        let opened = tokio::task::spawn_blocking(move || open(proofs, body, expected)).await;
        opened.map_err(domain::Error::internal)?
    }
}

fn open(proofs: Proofs, body: HeldBody, expected: Expected) -> Result<Received, Failure> {
    let sender = proofs.sender(body.bytes())?;
    let message =
        expected.parse(body.bytes()).map_err(|why| Failure::Malformed(why, sender.fingerprint()))?;
    Ok(Received { credential: Credential::proven(sender), message, body })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Failure;
    use crate::limits::Unread;
    use crate::mdm::identity::{
        Unidentified,
        tests::{Device, device},
    };
    use apple::{CheckOut, Identifiers};
    use http::Request;

    fn intake(budget: usize) -> Intake {
        Intake { trust: ProxyTrust::default(), client_cert_header: None, bodies: BodyBudget::new(budget) }
    }

    fn ids() -> Identifiers {
        Identifiers { udid: Some("00008140-000A1B2C3D4E5F60".into()), ..Identifiers::default() }
    }

    fn check_out() -> Vec<u8> {
        CheckOut { topic: "com.apple.mgmt.x".into(), ids: ids() }.encode()
    }

    fn signed_by(device: &Device, body: &[u8]) -> Parts {
        let request = Request::builder().header("mdm-signature", device.signature(body));
        request.body(()).unwrap().into_parts().0
    }

    async fn receive(body: &[u8], expected: Expected) -> Result<Received, Failure> {
        let parts = signed_by(&device("a"), body);
        intake(64 << 20).receive(&parts, Body::from(body.to_vec()), expected).await
    }

    #[test]
    fn the_content_type_says_how_a_body_is_read() {
        for (header, expected) in [
            (Some("application/x-apple-aspen-mdm-checkin"), Expected::CheckIn),
            (Some("application/x-apple-aspen-mdm-checkin; charset=UTF-8"), Expected::CheckIn),
            (Some("application/x-apple-aspen-mdm"), Expected::Report),
            (Some("application/x-apple-aspen-mdm;charset=UTF-8"), Expected::Report),
            (Some("application/x-www-form-urlencoded"), Expected::Either),
            (Some(""), Expected::Either),
            (None, Expected::Either),
        ] {
            let headers = header.map(|value| (CONTENT_TYPE, value.parse().unwrap())).into_iter().collect();
            assert_eq!(Expected::by_content_type(&headers), expected, "{header:?}");
        }
    }

    #[tokio::test]
    async fn without_a_content_type_the_message_type_decides() {
        let received = receive(&check_out(), Expected::Either).await.unwrap();
        assert!(matches!(received.message, Message::CheckIn(CheckIn::CheckOut(_))));
        let received = receive(&Report::idle(ids()).encode(), Expected::Either).await.unwrap();
        assert_eq!(received.message, Message::Report(Report::idle(ids())));
    }

    #[tokio::test]
    async fn the_sender_is_the_signer_and_the_body_is_kept_as_it_came() {
        let (sender, body) = (device("a"), Report::idle(ids()).encode());
        let parts = signed_by(&sender, &body);
        let received =
            intake(1 << 20).receive(&parts, Body::from(body.clone()), Expected::Report).await.unwrap();
        assert_eq!(received.credential.fingerprint(), sender.certificate.fingerprint());
        assert_eq!(received.body.bytes(), body);
    }

    #[tokio::test]
    async fn a_message_of_the_other_kind_is_malformed() {
        assert!(matches!(receive(&check_out(), Expected::Report).await, Err(Failure::Malformed(..))));
        let idle = Report::idle(ids()).encode();
        assert!(matches!(receive(&idle, Expected::CheckIn).await, Err(Failure::Malformed(..))));
    }

    #[tokio::test]
    async fn a_long_report_is_read_off_the_road() {
        let report = Report::acknowledged(ids(), "id").with("Data", apple::Value::Data(vec![7; 2 * AT_ONCE]));
        let received = receive(&report.encode(), Expected::Report).await.unwrap();
        assert_eq!(received.message, Message::Report(report));
    }

    #[tokio::test]
    async fn bombs_are_malformed_and_nothing_worse() {
        let deep = format!("<plist>{}", "<array>".repeat(4_000));
        let entities = "<!DOCTYPE plist [<!ENTITY a \"b\">]><plist><dict/></plist>";
        let wide = format!("<plist><array>{}</array></plist>", "<true/>".repeat(250_000));
        for bomb in [deep.as_str(), entities, &wide, "", "bplist00"] {
            for expected in [Expected::CheckIn, Expected::Report, Expected::Either] {
                let failure = receive(bomb.as_bytes(), expected).await.unwrap_err();
                let refused = matches!(failure, Failure::Malformed(..) | Failure::Unread(Unread::TooLong(_)));
                assert!(refused, "{failure:?}");
            }
        }
    }

    #[tokio::test]
    async fn a_bomb_of_nobody_is_not_even_read() {
        let (parts, ()) = Request::new(()).into_parts();
        let never_ends =
            Body::from_stream(futures_util::stream::pending::<Result<&str, std::convert::Infallible>>());
        let failure = intake(0).receive(&parts, never_ends, Expected::Report).await.unwrap_err();
        assert!(matches!(failure, Failure::Unidentified(Unidentified::Unsigned)));
    }

    #[tokio::test]
    async fn check_ins_are_shorter_than_reports() {
        let body = vec![b' '; SMALL_BODY + 1];
        let failure = receive(&body, Expected::CheckIn).await.unwrap_err();
        assert!(matches!(failure, Failure::Unread(Unread::TooLong(SMALL_BODY))));
        assert!(matches!(receive(&body, Expected::Report).await, Err(Failure::Malformed(..))));
    }
}
