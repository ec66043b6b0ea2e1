//! The API listener: the published APIs, and what operators look at.

use std::sync::Arc;

use axum::{Router, extract::Request, middleware, middleware::Next, response::Response, routing::get};
use domain::Mdm;
use http::{
    HeaderValue, StatusCode,
    header::{STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS},
};
use ipnet::IpNet;

use crate::{
    HttpMetrics, admin_api, api_state::ApiState, device_api, docs, health, lifecycle_api, limits, metrics,
    openapi, peer::ProxyTrust, readiness,
};

/// Settings of the API listener.
#[derive(Clone)]
pub struct ApiSettings {
    /// Whether clients reach it over HTTPS with a certificate that is not self-signed, and may be told never to come
    /// back without (RFC 6797, section 7.2).
    pub hsts: bool,
    /// Whether `/metrics` is shown without an API key.
    pub metrics_open: bool,
    /// Whose forwarded address is believed: wrong secrets are held back by address.
    pub trusted_proxies: Vec<IpNet>,
    /// The bytes of all bodies in flight; beyond it is 503.
    pub body_budget: usize,
    /// Where requests are counted; clones given to other routers are shown too.
    pub metrics: HttpMetrics,
}

impl Default for ApiSettings {
    fn default() -> Self {
        Self {
            hsts: false,
            metrics_open: false,
            trusted_proxies: Vec::new(),
            body_budget: 64 << 20,
            metrics: HttpMetrics::default(),
        }
    }
}

/// The API listener: Device API, lifecycle API, admin API, their OpenAPI documents (`/docs/` to browse them), health and metrics.
///
/// Every answer of a published API, whatever went wrong, comes in that API's own form. The accept loop limits
/// connections, handshakes and headers.
pub fn api_router(mdm: Arc<Mdm>, settings: ApiSettings) -> Router {
    let state = ApiState::new(mdm, settings.body_budget, ProxyTrust::new(settings.trusted_proxies));
    let counted = settings.metrics.clone();
    let router = Router::new()
        .merge(device_api::router().layer(counted.layer("device-api")))
        .merge(lifecycle_api::router(&state).layer(counted.layer("lifecycle-api")))
        .merge(admin_api::router().layer(counted.layer("admin-api")))
        .merge(operations(settings.metrics, settings.metrics_open))
        .fallback(async || StatusCode::NOT_FOUND);
    router
        .layer(middleware::from_fn(move |request, next| secured(settings.hsts, request, next)))
        .with_state(state)
}

fn operations(requests: HttpMetrics, metrics_open: bool) -> Router<ApiState> {
    let layers = (requests.layer("operations"), limits::guard());
    Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(readiness::ready))
        .merge(openapi::router())
        .merge(docs::router())
        .merge(metrics::router(requests, metrics_open))
        .layer(layers)
}

/// Headers of every answer, whichever face gave it.
async fn secured(hsts: bool, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if hsts {
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=315360000"));
    }
    response
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use tower::ServiceExt;

    use super::*;

    async fn answered(hsts: bool) -> Response {
        let router = Router::<()>::new().route("/", get(|| async {}));
        let router = router.layer(middleware::from_fn(move |request, next| secured(hsts, request, next)));
        router.oneshot(Request::new(Body::empty())).await.unwrap()
    }

    #[tokio::test]
    async fn https_is_demanded_only_where_it_will_stay() {
        assert_eq!(answered(true).await.headers()[STRICT_TRANSPORT_SECURITY], "max-age=315360000");
        assert_eq!(answered(false).await.headers().get(STRICT_TRANSPORT_SECURITY), None);
    }
}
