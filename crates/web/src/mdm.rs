//! The MDM endpoints: what devices say, and what they are to do.
//!
//! `intake` reads a request and says what came from whom; here it is passed on and answered. Answers are
//! bare: a check-in gets exactly 200 and what it asked for, and 401 is in `failure.rs` alone.

mod client_certificate;
mod floor;
mod identity;
mod intake;

use std::sync::Arc;

use apple::Message;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use domain::{CheckInAnswer, Polled, Rejection};
use http::{StatusCode, header::CONTENT_TYPE};

use crate::failure::Failure;
use crate::state::DeviceState;
pub use floor::floor_router;
pub(crate) use identity::Unidentified;
pub(crate) use intake::Intake;
use intake::{Expected, Received};

/// `PUT /mdm`: the command channel, and check-ins of devices whose profile has no `CheckInURL`.
pub(crate) async fn serve(State(state): State<Arc<DeviceState>>, request: Request) -> Response {
    let expected = Expected::by_content_type(request.headers());
    exchange(&state, request, expected).await
}

/// `PUT /checkin`: check-ins alone.
pub(crate) async fn check_in(State(state): State<Arc<DeviceState>>, request: Request) -> Response {
    exchange(&state, request, Expected::CheckIn).await
}

async fn exchange(state: &DeviceState, request: Request, expected: Expected) -> Response {
    let (parts, body) = request.into_parts();
    let origin = state.trust.origin(&parts);
    let answer = match state.intake.receive(&parts, body, expected).await {
        Ok(received) => {
            let sender = received.credential.fingerprint();
            dispatch(state, received).await.map_err(|rejection| Failure::rejected(rejection, sender))
        }
        Err(failure) => Err(failure),
    };
    answer.unwrap_or_else(|failure| failure.answer(origin))
}

/// The body's share of the budget is held until the operation is done.
async fn dispatch(state: &DeviceState, received: Received) -> Result<Response, Rejection> {
    let Received { credential, message, mut body } = received;
    match message {
        Message::CheckIn(message) => Ok(checked_in(state.mdm.check_in(&credential, &message).await?)),
        Message::Report(report) => {
            let raw = body.take();
            Ok(polled(state.mdm.poll(&credential, &report, raw).await?))
        }
    }
}

fn checked_in(answer: CheckInAnswer) -> Response {
    let with_body = |content_type, body: Vec<u8>| ([(CONTENT_TYPE, content_type)], body).into_response();
    match answer {
        CheckInAnswer::Taken => StatusCode::OK.into_response(),
        CheckInAnswer::PropertyList(plist) => with_body(apple::content_type::ANSWER, plist),
        CheckInAnswer::Json(json) => with_body(apple::content_type::DECLARATION, json),
        CheckInAnswer::NoDeclaration => StatusCode::NOT_FOUND.into_response(),
        CheckInAnswer::UserNotManaged => StatusCode::GONE.into_response(),
    }
}

fn polled(polled: Polled) -> Response {
    match polled {
        Polled::Nothing => StatusCode::OK.into_response(),
        Polled::Command(plist) => ([(CONTENT_TYPE, apple::content_type::COMMAND)], plist).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;

    async fn body(response: Response) -> Vec<u8> {
        response.into_body().collect().await.unwrap().to_bytes().to_vec()
    }

    #[tokio::test]
    async fn nothing_to_do_is_an_empty_200_without_headers() {
        let response = polled(Polled::Nothing);
        assert_eq!(response.status(), 200);
        assert!(response.headers().is_empty(), "{:?}", response.headers());
        assert!(body(response).await.is_empty());
    }

    #[tokio::test]
    async fn a_check_in_gets_what_it_asked_for_and_nothing_else() {
        let no_body = [
            (CheckInAnswer::Taken, 200),
            (CheckInAnswer::NoDeclaration, 404),
            (CheckInAnswer::UserNotManaged, 410),
        ];
        for (answer, status) in no_body {
            let response = checked_in(answer);
            assert_eq!((response.status().as_u16(), response.headers().is_empty()), (status, true));
            assert!(body(response).await.is_empty());
        }
        let json = checked_in(CheckInAnswer::Json(b"{}".to_vec()));
        assert_eq!(
            (json.status().as_u16(), &json.headers()[CONTENT_TYPE]),
            (200, &"application/json".parse().unwrap())
        );
        let plist = checked_in(CheckInAnswer::PropertyList(b"<plist/>".to_vec()));
        assert!(plist.headers()[CONTENT_TYPE].to_str().unwrap().starts_with("application/xml"));
        assert_eq!(body(plist).await, b"<plist/>");
    }

    #[tokio::test]
    async fn a_command_is_sent_as_xml_and_as_it_is() {
        let response = polled(Polled::Command(b"<plist/>".to_vec()));
        assert_eq!(response.status(), 200);
        assert!(response.headers()[CONTENT_TYPE].to_str().unwrap().starts_with("application/xml"));
        assert_eq!(body(response).await, b"<plist/>");
    }
}
