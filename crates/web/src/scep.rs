//! SCEP (RFC 8894): how a device gets its identity certificate.

use std::borrow::Cow;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use domain::ScepAnswer;
use http::{Method, StatusCode, header::CONTENT_TYPE, request::Parts};
use percent_encoding::percent_decode_str;
use tracing::Instrument;

use crate::base64_text;
use crate::failure::Failure;
use crate::limits::{HeldBody, SMALL_BODY};
use crate::peer::Origin;
use crate::state::DeviceState;

/// What [`domain::Mdm::scep`] does, and nothing else (RFC 8894, 3.5.2). `SCEPStandard` implies the first
/// three.
const CAPABILITIES: &str = "AES\nSHA-256\nPOSTPKIOperation\nRenewal\nSCEPStandard\n";

/// One certificate by itself (RFC 8894, 4.2.1.1); several published clients compare it letter by letter.
const CA_CERTIFICATE: &str = "application/x-x509-ca-cert";

const PKI_MESSAGE: &str = "application/x-pki-message";

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Operation {
    Capabilities,
    CaCertificate,
    /// The message of the query, if there is one.
    Message(Option<Vec<u8>>),
}

/// `GET` and `POST /scep`.
pub(crate) async fn serve(State(state): State<Arc<DeviceState>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let origin = state.trust.origin(&parts);
    answer(&state, &parts, body, origin).await.unwrap_or_else(|failure| failure.answer(origin))
}

async fn answer(state: &DeviceState, parts: &Parts, body: Body, origin: Origin) -> Result<Response, Failure> {
    match Operation::of(parts.uri.query().unwrap_or_default())? {
        Operation::Capabilities => Ok(([(CONTENT_TYPE, "text/plain")], CAPABILITIES).into_response()),
        Operation::CaCertificate => {
            let certificate = state.mdm.device_ca_certificate().to_vec();
            Ok(([(CONTENT_TYPE, CA_CERTIFICATE)], certificate).into_response())
        }
        Operation::Message(query) => {
            let body = match parts.method {
                Method::POST => state.intake.bodies.read(body, SMALL_BODY).await?,
                _ => HeldBody::default(),
            };
            let message = message(&body, query.as_deref())?;
            let span = tracing::info_span!("scep", peer = %origin);
            pki_operation(state, message).instrument(span).await
        }
    }
}

async fn pki_operation(state: &DeviceState, message: &[u8]) -> Result<Response, Failure> {
    let _pass = state.signing.enter().await.ok_or(Failure::Crowded)?;
    match state.mdm.scep(message).await? {
        ScepAnswer::Reply(reply) => Ok(([(CONTENT_TYPE, PKI_MESSAGE)], reply).into_response()),
        // Why is in the log already.
        ScepAnswer::Unreadable => Ok(StatusCode::BAD_REQUEST.into_response()),
    }
}

/// The body's, where there is one: some clients repeat the message in the query.
fn message<'a>(body: &'a HeldBody, query: Option<&'a [u8]>) -> Result<&'a [u8], Failure> {
    let message = if body.bytes().is_empty() { query.unwrap_or_default() } else { body.bytes() };
    if message.is_empty() { Err(Failure::NoScep("there is no message")) } else { Ok(message) }
}

impl Operation {
    fn of(query: &str) -> Result<Self, Failure> {
        let operation = parameter(query, "operation").ok_or(Failure::NoScep("there is no operation"))?;
        match operation.as_ref() {
            "GetCACaps" => Ok(Self::Capabilities),
            "GetCACert" => Ok(Self::CaCertificate),
            // A query that cannot be read may still come with a body that can.
            "PKIOperation" => {
                Ok(Self::Message(parameter(query, "message").and_then(|text| query_message(&text))))
            }
            _ => Err(Failure::NoScep("the operation is not served")),
        }
    }
}

/// The first value of a key. `+` is left as it is: clients that do not escape base64 mean it.
fn parameter<'a>(query: &'a str, key: &str) -> Option<Cow<'a, str>> {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(name, _)| *name == key)?;
    percent_decode_str(value).decode_utf8().ok()
}

/// A space is a `+` that something on the way took for a form's.
fn query_message(text: &str) -> Option<Vec<u8>> {
    base64_text::decode(&text.replace(' ', "+"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::{
        Engine,
        engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
    };
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    use proptest::{collection::vec, prelude::*};

    fn message_of(query: &str) -> Option<Vec<u8>> {
        match Operation::of(query).unwrap() {
            Operation::Message(message) => message,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_operation_is_named_by_the_query() {
        assert_eq!(Operation::of("operation=GetCACaps").unwrap(), Operation::Capabilities);
        assert_eq!(Operation::of("operation=GetCACert&message=ca").unwrap(), Operation::CaCertificate);
        assert_eq!(
            Operation::of("x&message=QQ&operation=PKIOperation").unwrap(),
            Operation::Message(Some(b"A".into()))
        );
        assert_eq!(Operation::of("operation=PKIOperation").unwrap(), Operation::Message(None));
        for query in
            ["", "operation", "operation=", "operation=GetNextCACert", "operation=%ff", "OPERATION=GetCACaps"]
        {
            assert!(matches!(Operation::of(query), Err(Failure::NoScep(_))), "{query}");
        }
    }

    #[test]
    fn the_body_wins_over_the_query_and_one_must_be_there() {
        let nothing = HeldBody::default();
        assert_eq!(message(&nothing, Some(b"query")).unwrap(), b"query");
        assert!(message(&nothing, None).is_err());
        assert!(message(&nothing, Some(b"")).is_err());
    }

    #[test]
    fn only_capabilities_that_are_true_are_told() {
        let mut told: Vec<_> = CAPABILITIES.lines().collect();
        told.sort_unstable();
        assert_eq!(told, ["AES", "POSTPKIOperation", "Renewal", "SCEPStandard", "SHA-256"]);
    }

    proptest! {
        #[test]
        fn a_message_survives_every_way_of_writing_it(bytes in vec(any::<u8>(), 1..200)) {
            let base64 = STANDARD.encode(&bytes);
            for text in [
                base64.clone(),
                utf8_percent_encode(&base64, NON_ALPHANUMERIC).to_string(),
                base64.trim_end_matches('=').to_owned(),
                base64.replace('+', "%20"),
                base64.replace('=', "%3D"),
                URL_SAFE_NO_PAD.encode(&bytes),
            ] {
                let query = format!("operation=PKIOperation&message={text}");
                prop_assert_eq!(message_of(&query), Some(bytes.clone()));
            }
        }

        #[test]
        fn any_query_is_read_or_refused(
            query in ".{0,100}|(operation|message|=|&|PKIOperation|[%+a-f0-9]){0,30}",
        ) {
            let _ = Operation::of(&query);
        }
    }
}
