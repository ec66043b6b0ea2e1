//! The edge of this API: whatever happens inside, what leaves is the envelope, in the caller's language.

use std::any::Any;

use axum::{
    Router,
    extract::Request,
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use http::{
    HeaderValue, Method, StatusCode,
    header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, VARY},
};
use tower_http::catch_panic::CatchPanicLayer;

use super::{
    envelope::Envelope,
    error::{ErrorCode, Failure},
    language::Language,
    token_status,
};
use crate::api_state::CALL_TIMEOUT;

/// Puts the edge around this API's routes.
pub(super) fn around<S: Clone + Send + Sync + 'static>(router: Router<S>) -> Router<S> {
    router
        .method_not_allowed_fallback(async || Failure::new(ErrorCode::MethodNotAllowed))
        .layer(CatchPanicLayer::custom(after_panic))
        .layer(middleware::from_fn(in_envelope))
}

/// The answer for a path that no route has.
pub(super) async fn unknown_path() -> Failure {
    Failure::new(ErrorCode::UnknownPath)
}

/// The process's panic hook has told what happened.
fn after_panic(_: Box<dyn Any + Send + 'static>) -> Response {
    Failure::new(ErrorCode::InternalError).into_response()
}

async fn in_envelope(request: Request, next: Next) -> Response {
    token_status::in_a_call(answered(request, next)).await
}

async fn answered(request: Request, next: Next) -> Response {
    let language = Language::preferred(request.headers());
    // Without the query, which may hold a token.
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let called = tokio::time::timeout(CALL_TIMEOUT, next.run(request)).await;
    let mut response = called.unwrap_or_else(|_| Failure::new(ErrorCode::Unavailable).into_response());
    if let Some(failure) = response.extensions_mut().remove::<Failure>() {
        log(&failure, &method, &path);
        response = in_words(response, &failure, language);
    }
    // Answers tell of persons' devices, or hold a token; and a failure is worded by the caller's language.
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().append(VARY, HeaderValue::from_static("accept-language"));
    response
}

/// `carrier` brought the failure here; its headers stay, its empty body does not.
fn in_words(carrier: Response, failure: &Failure, language: Language) -> Response {
    let (mut carried, _) = carrier.into_parts();
    carried.headers.remove(CONTENT_LENGTH);
    carried.headers.remove(CONTENT_TYPE);
    let mut response = Envelope::failure(failure, language).into_response();
    *response.status_mut() = carried.status;
    response.headers_mut().extend(carried.headers);
    response
}

fn log(failure: &Failure, method: &Method, path: &str) {
    let (code, cause) = (failure.code.word(), failure.cause.as_deref().unwrap_or_default());
    let field = failure.field.unwrap_or_default();
    match failure.code.status() {
        StatusCode::INTERNAL_SERVER_ERROR => tracing::error!(%method, path, code, cause, "a call failed"),
        StatusCode::SERVICE_UNAVAILABLE => tracing::warn!(%method, path, code, cause, "a call was put off"),
        _ => tracing::info!(%method, path, code, field, "a call was refused"),
    }
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, routing::post};
    use http::header::{ACCEPT_LANGUAGE, ALLOW};
    use http_body_util::BodyExt;
    use serde_json::Value;
    use tower::ServiceExt;

    use super::*;

    async fn panics() -> StatusCode {
        panic!("the password is hunter2")
    }

    async fn answer(method: &str, path: &str, language: &str) -> (http::response::Parts, Value) {
        let router = around(
            Router::new()
                .route("/api/mdm/v2/device/panics", post(panics))
                .route("/api/mdm/v2/{*path}", axum::routing::any(unknown_path)),
        );
        let request = Request::builder().method(method).uri(path).header(ACCEPT_LANGUAGE, language);
        let response = router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        assert_eq!(parts.headers[CONTENT_TYPE], "application/json");
        if let Some(length) = parts.headers.get(CONTENT_LENGTH) {
            assert_eq!(length.to_str().unwrap(), body.len().to_string());
        }
        (parts, serde_json::from_slice(&body).unwrap())
    }

    #[tokio::test]
    async fn an_unknown_path_is_answered_in_the_envelope_and_in_german() {
        let (parts, body) = answer("POST", "/api/mdm/v2/device/fly", "de-AT").await;
        assert_eq!(parts.status, StatusCode::NOT_FOUND);
        assert_eq!(body["errorcode"], "UNKNOWN_PATH");
        assert_eq!(body["errormessage"], "Diesen Aufruf gibt es nicht.");
        assert_eq!(body["success"], false);
        assert_eq!(parts.headers[CACHE_CONTROL], "no-store");
        assert_eq!(parts.headers[VARY], "accept-language");
    }

    #[tokio::test]
    async fn another_method_is_answered_in_the_envelope_and_told_the_right_one() {
        for method in ["GET", "PUT", "DELETE", "OPTIONS"] {
            let (parts, body) = answer(method, "/api/mdm/v2/device/panics", "en").await;
            assert_eq!(parts.status, StatusCode::METHOD_NOT_ALLOWED, "{method}");
            assert_eq!(parts.headers[ALLOW], "POST", "{method}");
            assert_eq!(body["errorcode"], "METHOD_NOT_ALLOWED", "{method}");
        }
    }

    #[tokio::test]
    async fn a_panic_is_answered_in_the_envelope_and_tells_nothing() {
        let (parts, body) = answer("POST", "/api/mdm/v2/device/panics", "en").await;
        assert_eq!(parts.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(body["errorcode"], "INTERNAL_ERROR");
        assert!(!body.to_string().contains("hunter2"));
    }
}
