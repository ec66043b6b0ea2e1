//! Requests, counted and timed.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Instant,
};

use axum::extract::{MatchedPath, Request};
use http::{Method, Response};
use pin_project_lite::pin_project;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::Registry,
};
use tower::{Layer, Service};

/// Upper bounds of the histogram's buckets, seconds.
const BUCKETS: [f64; 11] = [0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

/// What a request is counted under. Every label has few values: routes are patterns, and never hold an id.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    face: &'static str,
    method: &'static str,
    route: String,
    status: u16,
}

/// Counts and times of requests; clones count together.
#[derive(Clone, Default)]
pub struct HttpMetrics(Arc<Requests>);

struct Requests {
    answered: Family<Labels, Counter>,
    seconds: Family<Labels, Histogram>,
}

impl Default for Requests {
    fn default() -> Self {
        let seconds = Family::new_with_constructor((|| Histogram::new(BUCKETS)) as fn() -> Histogram);
        Self { answered: Family::default(), seconds }
    }
}

/// Counts what a router answers; made by [`HttpMetrics::layer`].
#[derive(Clone)]
pub(crate) struct CountLayer {
    metrics: HttpMetrics,
    face: &'static str,
}

/// What is counted, and where.
#[derive(Clone)]
pub(crate) struct Counted<S> {
    inner: S,
    metrics: HttpMetrics,
    face: &'static str,
}

pin_project! {
    /// A request that is being answered. Counted only if it is: whoever goes away before leaves no trace.
    pub(crate) struct Counting<F> {
        #[pin]
        answer: F,
        metrics: HttpMetrics,
        face: &'static str,
        method: &'static str,
        route: Option<MatchedPath>,
        begun: Instant,
    }
}

impl HttpMetrics {
    /// Counts under `face` what is answered below it; put it outermost.
    pub(crate) fn layer(&self, face: &'static str) -> CountLayer {
        CountLayer { metrics: self.clone(), face }
    }

    /// Adds the counts to what is shown.
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register("http_requests", "Requests answered", self.0.answered.clone());
        registry.register("http_request_seconds", "Time until the head of an answer", self.0.seconds.clone());
    }
}

impl<S> Layer<S> for CountLayer {
    type Service = Counted<S>;

    fn layer(&self, inner: S) -> Counted<S> {
        Counted { inner, metrics: self.metrics.clone(), face: self.face }
    }
}

impl<S, B> Service<Request> for Counted<S>
where
    S: Service<Request, Response = Response<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Counting<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Counting<S::Future> {
        Counting {
            metrics: self.metrics.clone(),
            face: self.face,
            method: known(request.method()),
            route: request.extensions().get().cloned(),
            begun: Instant::now(),
            answer: self.inner.call(request),
        }
    }
}

impl<F, B, E> Future for Counting<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let answer = ready!(this.answer.poll(context));
        if let Ok(response) = &answer {
            let route = this.route.as_ref().map_or("", MatchedPath::as_str).to_owned();
            let status = response.status().as_u16();
            let labels = Labels { face: this.face, method: this.method, route, status };
            let Requests { answered, seconds } = &*this.metrics.0;
            seconds.get_or_create(&labels).observe(this.begun.elapsed().as_secs_f64());
            answered.get_or_create(&labels).inc();
        }
        Poll::Ready(answer)
    }
}

/// A method as a label: clients can make up any number of others.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::PATCH => "PATCH",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use axum::{Router, body::Body, routing::get};
    use prometheus_client::encoding::text::encode;
    use tower::ServiceExt;

    use super::*;

    async fn counted(requests: &[(&str, &str)]) -> String {
        let metrics = HttpMetrics::default();
        let router = Router::<()>::new().route("/devices/{id}", get(|| async {}));
        let router = router.layer(metrics.layer("test"));
        for (method, path) in requests {
            let request = Request::builder().method(*method).uri(*path).body(Body::empty()).unwrap();
            router.clone().oneshot(request).await.unwrap();
        }
        let mut registry = Registry::default();
        metrics.register(&mut registry);
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        text
    }

    #[tokio::test]
    async fn a_request_is_counted_under_the_pattern_of_its_route() {
        let text = counted(&[("GET", "/devices/1"), ("GET", "/devices/2")]).await;
        let line = r#"http_requests_total{face="test",method="GET",route="/devices/{id}",status="200"} 2"#;
        assert!(text.lines().any(|it| it == line), "{text}");
        assert!(text.contains(
            r#"http_request_seconds_count{face="test",method="GET",route="/devices/{id}",status="200"} 2"#
        ));
    }

    #[tokio::test]
    async fn made_up_paths_and_methods_make_no_new_labels() {
        let text = counted(&[("BREW", "/tea/1"), ("BOIL", "/tea/2"), ("BREW", "/devices/7")]).await;
        assert!(text.contains(r#"{face="test",method="other",route="",status="404"} 2"#), "{text}");
        assert!(
            text.contains(r#"{face="test",method="other",route="/devices/{id}",status="405"} 1"#),
            "{text}"
        );
        assert!(!text.contains("tea") && !text.contains("BREW"), "{text}");
    }
}
