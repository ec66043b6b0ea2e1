//! `/metrics`: how the server is doing, for Prometheus.

use std::sync::Arc;

use axum::{
    Extension, Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::get,
};
use domain::{Error, Health, Mdm, PushCertificateHealth, TenantId};
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{CONTENT_TYPE, WWW_AUTHENTICATE},
};
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{family::Family, gauge::Gauge},
    registry::Registry,
};

use crate::{api_state::ApiState, credentials};

pub use requests::HttpMetrics;

mod requests;

/// What prometheus-client writes.
const OPEN_METRICS: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");

/// What the handler shows, and to whom.
#[derive(Clone)]
struct Exposition {
    requests: HttpMetrics,
    open: bool,
}

/// `/metrics`; `open` shows it to whoever asks.
pub(crate) fn router(requests: HttpMetrics, open: bool) -> Router<ApiState> {
    Router::new().route("/metrics", get(metrics)).layer(Extension(Exposition { requests, open }))
}

async fn metrics(
    State(mdm): State<Arc<Mdm>>,
    Extension(exposition): Extension<Exposition>,
    headers: HeaderMap,
) -> Response {
    match exposition.read(&mdm, &headers).await {
        Ok(text) => ([(CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        Err(error) => refusal(&error),
    }
}

impl Exposition {
    async fn read(&self, mdm: &Mdm, headers: &HeaderMap) -> Result<String, Error> {
        let key = if self.open { None } else { Some(api_key(mdm, headers).await?) };
        let mut health = mdm.health().await?;
        if let Some(key) = key {
            health.push_certificates = visible_to(mdm, key, health.push_certificates).await?;
        }
        self.write(&health).map_err(Error::internal)
    }

    fn write(&self, health: &Health) -> Result<String, std::fmt::Error> {
        let mut registry = Registry::with_prefix("remuda");
        self.requests.register(&mut registry);
        backlog(&mut registry, health);
        push_certificates(&mut registry, &health.push_certificates);
        let mut text = String::new();
        encode(&mut text, &registry)?;
        Ok(text)
    }
}

/// The API key that was shown, if it is good for any tenant.
async fn api_key<'h>(mdm: &Mdm, headers: &'h HeaderMap) -> Result<&'h str, Error> {
    let shown =
        ["Bearer", "Api-Key"].into_iter().find_map(|scheme| credentials::authorization(headers, scheme));
    let key = shown.ok_or(Error::Unauthenticated)?;
    match mdm.actor_for_api_key(key, None).await {
        // A good key of several tenants, of which no single one is meant here.
        Ok(_) | Err(Error::Invalid { .. }) => Ok(key),
        Err(error) => Err(error),
    }
}

/// Those of the tenants that `key` has access to: tenants learn nothing of each other.
async fn visible_to(
    mdm: &Mdm,
    key: &str,
    certificates: Vec<PushCertificateHealth>,
) -> Result<Vec<PushCertificateHealth>, Error> {
    let mut visible = Vec::new();
    for certificate in certificates {
        match mdm.actor_for_api_key(key, Some(certificate.tenant)).await {
            Ok(_) => visible.push(certificate),
            Err(Error::Unauthenticated | Error::Forbidden(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(visible)
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct QueueLabel {
    queue: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TenantLabel {
    tenant: String,
}

impl From<TenantId> for TenantLabel {
    fn from(tenant: TenantId) -> Self {
        Self { tenant: tenant.to_string() }
    }
}

fn backlog(registry: &mut Registry, health: &Health) {
    let waiting = Family::<QueueLabel, Gauge>::default();
    for (queue, count) in
        [("pushes", health.pushes), ("outcomes", health.outcomes), ("purges", health.purges)]
    {
        waiting.get_or_create(&QueueLabel { queue }).set(i64::try_from(count).unwrap_or(i64::MAX));
    }
    registry.register("outbox_backlog", "Rows that wait for a worker", waiting);
}

fn push_certificates(registry: &mut Registry, certificates: &[PushCertificateHealth]) {
    let expiry = Family::<TenantLabel, Gauge>::default();
    let missing = Family::<TenantLabel, Gauge>::default();
    for PushCertificateHealth { tenant, certificate, .. } in certificates {
        let label = TenantLabel::from(*tenant);
        missing.get_or_create(&label).set(i64::from(certificate.is_none()));
        if let Some((_, expires_at)) = certificate {
            expiry.get_or_create(&label).set(expires_at.seconds());
        }
    }
    registry.register(
        "push_certificate_expiry_timestamp_seconds",
        "When the push certificate ends, seconds since 1970",
        expiry,
    );
    registry.register("push_certificate_missing", "1 where there is no push certificate", missing);
}

fn refusal(error: &Error) -> Response {
    let status = match error {
        Error::Unauthenticated | Error::Forbidden(_) => StatusCode::UNAUTHORIZED,
        Error::NotFound(_)
        | Error::Invalid { .. }
        | Error::Conflict(_)
        | Error::Unsupported(_)
        | Error::Internal(_) => {
            tracing::error!(error = error.chain(), "metrics could not be read");
            StatusCode::INTERNAL_SERVER_ERROR
        }
        Error::Unavailable(_) | Error::TooOften(_) => {
            tracing::warn!(error = error.chain(), "metrics could not be read");
            StatusCode::SERVICE_UNAVAILABLE
        }
    };
    let mut response = status.into_response();
    if status == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;
    use uuid::Uuid;

    use super::*;

    fn shown(health: &Health) -> String {
        Exposition { requests: HttpMetrics::default(), open: true }.write(health).unwrap()
    }

    fn health() -> Health {
        let tenant = |id, certificate| PushCertificateHealth {
            tenant: TenantId(Uuid::from_u128(id)),
            name: "Secret Customer Ltd".into(),
            certificate,
        };
        let topic = "com.apple.mgmt.External.1".to_owned();
        Health {
            pushes: 3,
            outcomes: 0,
            purges: 1,
            push_certificates: vec![tenant(1, Some((topic, Timestamp(1_800_000_000_000)))), tenant(2, None)],
            device_url: None,
        }
    }

    #[test]
    fn the_backlog_and_the_push_certificates_are_shown() {
        let text = shown(&health());
        for line in [
            r#"remuda_outbox_backlog{queue="pushes"} 3"#,
            r#"remuda_outbox_backlog{queue="outcomes"} 0"#,
            r#"remuda_outbox_backlog{queue="purges"} 1"#,
            r#"remuda_push_certificate_expiry_timestamp_seconds{tenant="00000000-0000-0000-0000-000000000001"} 1800000000"#,
            r#"remuda_push_certificate_missing{tenant="00000000-0000-0000-0000-000000000001"} 0"#,
            r#"remuda_push_certificate_missing{tenant="00000000-0000-0000-0000-000000000002"} 1"#,
        ] {
            assert!(text.lines().any(|it| it == line), "{line} in\n{text}");
        }
        assert!(text.ends_with("# EOF\n"));
    }

    #[test]
    fn a_tenant_without_a_certificate_has_no_expiry_and_nobodys_name_is_shown() {
        let text = shown(&health());
        assert!(!text.contains(r#"expiry_timestamp_seconds{tenant="00000000-0000-0000-0000-000000000002"}"#));
        assert!(!text.contains("Secret Customer"), "{text}");
    }

    #[test]
    fn who_is_refused_is_told_how_to_come_in() {
        let response = refusal(&Error::Unauthenticated);
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(response.headers()[WWW_AUTHENTICATE], "Bearer");
        assert_eq!(refusal(&Error::Unavailable("gone".into())).status(), StatusCode::SERVICE_UNAVAILABLE);
    }
}
