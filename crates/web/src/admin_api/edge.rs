//! The edge of this API: every failure is a problem, whatever went wrong, and is logged once.

use std::{any::Any, time::Duration};

use axum::{
    Router,
    extract::Request,
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use http::{HeaderValue, Method, header::CACHE_CONTROL};
use tokio::time::Instant;
use tower_http::catch_panic::CatchPanicLayer;

use super::error::{Failure, Kind};
use crate::api_state::CALL_TIMEOUT;

/// How long a call may begin further transactions: the last one has as long again as the database lets anybody wait, and
/// then there is time for the answer.
const BEGINNING: Duration = Duration::from_secs(55);

/// Until when a call may begin something that takes its time; in the extensions of each request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline(Instant);

impl Deadline {
    /// Whether there is time.
    pub(super) fn allows(self) -> bool {
        Instant::now() < self.0
    }
}

/// Puts the edge around this API's routes.
pub(super) fn around<S: Clone + Send + Sync + 'static>(router: Router<S>) -> Router<S> {
    router
        .method_not_allowed_fallback(async || Failure::new(Kind::MethodNotAllowed))
        .layer(CatchPanicLayer::custom(after_panic))
        .layer(middleware::from_fn(guarded))
}

/// The answer for a path that no route has.
pub(super) async fn unknown_path() -> Failure {
    Failure::new(Kind::NotFound)
}

/// The process's panic hook has told what happened.
fn after_panic(_: Box<dyn Any + Send + 'static>) -> Response {
    Failure::new(Kind::Internal).into_response()
}

async fn guarded(mut request: Request, next: Next) -> Response {
    request.extensions_mut().insert(Deadline(Instant::now() + BEGINNING));
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let called = tokio::time::timeout(CALL_TIMEOUT, next.run(request)).await;
    let mut response = called.unwrap_or_else(|_| Failure::new(Kind::Unavailable).into_response());
    if let Some(failure) = response.extensions_mut().remove::<Failure>() {
        log(&failure, &method, &path);
    }
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn log(failure: &Failure, method: &Method, path: &str) {
    let (problem, cause) = (failure.kind.word(), failure.cause.as_deref().unwrap_or_default());
    match failure.kind {
        Kind::Internal => tracing::error!(%method, path, problem, cause, "a call failed"),
        Kind::Unavailable => tracing::warn!(%method, path, problem, cause, "a call was put off"),
        Kind::Invalid
        | Kind::Unauthenticated
        | Kind::Forbidden
        | Kind::NotFound
        | Kind::MethodNotAllowed
        | Kind::RequestTimeout
        | Kind::Conflict
        | Kind::TooLarge
        | Kind::MediaType
        | Kind::TooManyRequests => tracing::info!(%method, path, problem, cause, "a call was refused"),
    }
}

#[cfg(test)]
mod tests {
    use axum::{Extension, body::Body, routing::get};
    use http::StatusCode;
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::*;

    async fn answer(method: &str, path: &str) -> (StatusCode, String) {
        async fn panics() -> StatusCode {
            panic!("the password is hunter2")
        }
        let router = around(
            Router::new().route("/panics", get(panics)).route("/{*path}", axum::routing::any(unknown_path)),
        );
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        let response = router.oneshot(request).await.unwrap();
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_begins_nothing_more_long_before_it_is_given_up() {
        async fn waits(Extension(deadline): Extension<Deadline>) -> String {
            let began = Instant::now();
            while deadline.allows() {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            format!("{}", began.elapsed().as_secs())
        }
        let router = around(Router::new().route("/waits", get(waits)));
        let request = Request::builder().uri("/waits").body(Body::empty()).unwrap();
        let response = router.oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let waited: u64 = std::str::from_utf8(&body).unwrap().parse().unwrap();
        // What has begun may wait twenty seconds for a connection, and ten for a lock.
        assert!((40..=CALL_TIMEOUT.as_secs() - 30).contains(&waited), "{waited} s");
    }

    #[tokio::test]
    async fn a_panic_an_unknown_path_and_another_method_are_problems() {
        let (status, body) = answer("GET", "/panics").await;
        assert!(status == 500 && !body.contains("hunter2"), "{body}");
        assert_eq!(answer("GET", "/fly").await.0, 404);
        assert_eq!(answer("DELETE", "/panics").await.0, 405);
    }
}
