//! The edge of this API: the published headers on every answer, and every failure in the published form.

use std::{
    any::Any,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::{
    Json, Router,
    extract::Request,
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use domain::{Mdm, Timestamp};
use http::{
    HeaderValue, Method,
    header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, REFERRER_POLICY, VARY},
};
use tower_http::catch_panic::CatchPanicLayer;

use super::error::{ErrorBody, ErrorCode, Failure};
use crate::api_state::{ApiState, CALL_TIMEOUT};

/// What the edge has to know to put a failure into words.
#[derive(Clone)]
pub(super) struct Edge {
    now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    failures: Arc<AtomicU64>,
}

impl Edge {
    /// The edge that tells the server's time.
    pub(super) fn of(state: &ApiState) -> Self {
        let mdm: Arc<Mdm> = Arc::clone(&state.mdm);
        Self::telling(move || mdm.now())
    }

    fn telling(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self { now: Arc::new(now), failures: Arc::default() }
    }

    /// A word that is not used twice by one process, and hardly by two: the time and a count.
    fn logref(&self, now: Timestamp) -> String {
        format!("{:x}-{:x}", now.0, self.failures.fetch_add(1, Ordering::Relaxed))
    }
}

/// Puts the edge around this API's routes.
pub(super) fn around<S: Clone + Send + Sync + 'static>(router: Router<S>, edge: Edge) -> Router<S> {
    router
        .method_not_allowed_fallback(async || Failure::new(ErrorCode::MethodNotAllowed))
        .layer(CatchPanicLayer::custom(after_panic))
        .layer(middleware::from_fn(move |request, next| dressed(edge.clone(), request, next)))
}

/// The answer for a path that no route has.
pub(super) async fn unknown_path() -> Failure {
    Failure::new(ErrorCode::UnknownUriPath)
}

/// The process's panic hook has told what happened.
fn after_panic(_: Box<dyn Any + Send + 'static>) -> Response {
    Failure::new(ErrorCode::InternalServerError).into_response()
}

async fn dressed(edge: Edge, request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let called = tokio::time::timeout(CALL_TIMEOUT, next.run(request)).await;
    let mut response = called.unwrap_or_else(|_| Failure::new(ErrorCode::ServiceUnavailable).into_response());
    if let Some(failure) = response.extensions_mut().remove::<Failure>() {
        response = in_words(&edge, response, &failure, (&method, path));
    }
    let headers = response.headers_mut();
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// `carrier` brought the failure here; its headers stay, its empty body does not, except where none is published.
fn in_words(
    edge: &Edge,
    carrier: Response,
    failure: &Failure,
    (method, path): (&Method, String),
) -> Response {
    let now = (edge.now)();
    let logref = edge.logref(now);
    log(failure, method, &path, &logref);
    if failure.code == ErrorCode::TooManyRequests {
        return carrier;
    }
    let (mut carried, _) = carrier.into_parts();
    carried.headers.remove(CONTENT_LENGTH);
    carried.headers.remove(CONTENT_TYPE);
    let mut response = Json(ErrorBody::new(failure, timestamp(now), path, logref)).into_response();
    *response.status_mut() = carried.status;
    response.headers_mut().extend(carried.headers);
    response
}

/// `2024-11-17T17:20:15.471+00:00`
fn timestamp(at: Timestamp) -> String {
    at.rfc3339().replace('Z', "+00:00")
}

fn log(failure: &Failure, method: &Method, path: &str, logref: &str) {
    let (code, cause) = (failure.code.word(), failure.cause.as_deref().unwrap_or_default());
    match failure.code {
        ErrorCode::InternalServerError => {
            tracing::error!(%method, path, code, logref, cause, "a call failed");
        }
        ErrorCode::ServiceUnavailable => {
            tracing::warn!(%method, path, code, logref, cause, "a call was put off");
        }
        ErrorCode::BadRequest
        | ErrorCode::Forbidden
        | ErrorCode::UnknownUriPath
        | ErrorCode::MethodNotAllowed
        | ErrorCode::RequestTimeout
        | ErrorCode::Conflict
        | ErrorCode::PayloadTooLarge
        | ErrorCode::UnsupportedMediaType
        | ErrorCode::TooManyRequests => {
            tracing::info!(%method, path, code, logref, cause, "a call was refused");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::{
        body::Body,
        routing::{any, post},
    };
    use http::{StatusCode, header::ALLOW};
    use http_body_util::BodyExt;
    use serde_json::Value;
    use tower::ServiceExt;

    use super::*;

    async fn panics() -> StatusCode {
        panic!("the password is hunter2")
    }

    fn router() -> Router {
        let router = Router::new()
            .route("/v1/panics", post(panics))
            .route("/v1/fine", post(async || StatusCode::ACCEPTED))
            .route("/v1/soon", post(async || Failure::blocked(Duration::from_millis(40_298_409))))
            .route("/v1/{*call}", any(unknown_path));
        around(router, Edge::telling(|| Timestamp(1_731_864_015_471)))
    }

    async fn answer(router: &Router, method: &str, path: &str) -> (http::response::Parts, String) {
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        let (parts, body) = router.clone().oneshot(request).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        assert_eq!(parts.headers[REFERRER_POLICY], "no-referrer");
        assert_eq!(parts.headers[VARY], "Accept-Encoding");
        (parts, String::from_utf8(body.to_vec()).unwrap())
    }

    async fn failure(method: &str, path: &str) -> (http::response::Parts, Value) {
        let (parts, body) = answer(&router(), method, path).await;
        assert_eq!(parts.headers[CONTENT_TYPE], "application/json");
        (parts, serde_json::from_str(&body).unwrap())
    }

    #[tokio::test]
    async fn an_unknown_path_is_answered_as_published() {
        let (parts, body) = failure("GET", "/v1/tokens?token=secret").await;
        assert_eq!(parts.status, StatusCode::NOT_FOUND);
        let expected = serde_json::json!({
            "timestamp": "2024-11-17T17:20:15.471+00:00",
            "status": 404,
            "error": "UNKNOWN_URI_PATH",
            "message": "The requested URI does not exist.",
            "path": "/v1/tokens",
            "logref": body["logref"],
            "statusCode": 404,
        });
        assert_eq!(body, expected);
    }

    #[tokio::test]
    async fn another_method_is_answered_in_the_same_form() {
        let (parts, body) = failure("GET", "/v1/fine").await;
        assert_eq!((parts.status, &body["status"]), (StatusCode::METHOD_NOT_ALLOWED, &405.into()));
        assert_eq!(parts.headers[ALLOW], "POST");
    }

    #[tokio::test]
    async fn a_blocked_request_is_answered_without_a_body() {
        let (parts, body) = answer(&router(), "POST", "/v1/soon").await;
        assert_eq!((parts.status, body.as_str()), (StatusCode::TOO_MANY_REQUESTS, ""));
        assert_eq!(parts.headers["x-rate-limit-retry-after-milliseconds"], "40298409");
        assert_eq!(parts.headers[CONTENT_LENGTH], "0");
        assert_eq!(parts.headers.get(CONTENT_TYPE), None);
    }

    #[tokio::test]
    async fn a_panic_is_answered_in_the_same_form_and_tells_nothing() {
        let (parts, body) = failure("POST", "/v1/panics").await;
        assert_eq!(
            (parts.status, &body["error"]),
            (StatusCode::INTERNAL_SERVER_ERROR, &"INTERNAL_SERVER_ERROR".into())
        );
        assert!(!body.to_string().contains("hunter2"));
    }

    #[tokio::test]
    async fn each_failure_has_its_own_name_in_the_log() {
        let router = router();
        let logref = async || {
            let body: Value = serde_json::from_str(&answer(&router, "GET", "/v1/x").await.1).unwrap();
            body["logref"].as_str().unwrap().to_owned()
        };
        assert_ne!(logref().await, logref().await);
    }

    #[tokio::test]
    async fn an_answer_without_a_body_has_none() {
        let (parts, body) = answer(&router(), "POST", "/v1/fine").await;
        assert_eq!((parts.status, body.as_str()), (StatusCode::ACCEPTED, ""));
    }
}
