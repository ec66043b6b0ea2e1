//! Requests, counted and timed.

use std::time::Instant;

use axum::{
    Router,
    extract::{MatchedPath, Request},
    middleware::{self, Next},
    response::Response,
};
use http::Method;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::Registry,
};

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
#[derive(Clone)]
pub struct HttpMetrics {
    requests: Family<Labels, Counter>,
    seconds: Family<Labels, Histogram>,
}

impl Default for HttpMetrics {
    fn default() -> Self {
        let seconds = Family::new_with_constructor((|| Histogram::new(BUCKETS)) as fn() -> Histogram);
        Self { requests: Family::default(), seconds }
    }
}

impl HttpMetrics {
    /// Counts what `router` answers under `face`; put it outermost.
    pub fn around<S: Clone + Send + Sync + 'static>(
        &self,
        face: &'static str,
        router: Router<S>,
    ) -> Router<S> {
        let metrics = self.clone();
        router.layer(middleware::from_fn(move |request, next| count(metrics.clone(), face, request, next)))
    }

    /// Adds the counts to what is shown.
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register("http_requests", "Requests answered", self.requests.clone());
        registry.register("http_request_seconds", "Time until the head of an answer", self.seconds.clone());
    }
}

async fn count(metrics: HttpMetrics, face: &'static str, request: Request, next: Next) -> Response {
    let method = known(request.method());
    let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str).to_owned();
    let begun = Instant::now();
    let response = next.run(request).await;
    let labels = Labels { face, method, route, status: response.status().as_u16() };
    metrics.seconds.get_or_create(&labels).observe(begun.elapsed().as_secs_f64());
    metrics.requests.get_or_create(&labels).inc();
    response
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
    use axum::{body::Body, routing::get};
    use prometheus_client::encoding::text::encode;
    use tower::ServiceExt;

    use super::*;

    async fn counted(requests: &[(&str, &str)]) -> String {
        let metrics = HttpMetrics::default();
        let router = Router::<()>::new().route("/devices/{id}", get(|| async {}));
        let router = metrics.around("test", router);
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
