//! What a device's message costs at the very least: it is read, its sender verified, its property list parsed.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    response::{IntoResponse, Response},
    routing::put,
};
use http::StatusCode;

use super::intake::{Expected, Intake};
use crate::{limits::BodyBudget, peer::ProxyTrust, state::DeviceSettings};

/// The bytes of all bodies in flight.
const BODY_BUDGET: usize = 64 << 20;

/// The device listener's `/mdm` without everything that a server is for: nothing is decided, stored or counted. The
/// benchmark compares the real one with it.
pub fn floor_router(settings: DeviceSettings) -> Router {
    let intake = Intake {
        trust: ProxyTrust::new(settings.trusted_proxies),
        client_cert_header: settings.client_cert_header,
        bodies: BodyBudget::new(BODY_BUDGET),
    };
    Router::new().route("/mdm", put(take)).with_state(Arc::new(intake))
}

async fn take(State(intake): State<Arc<Intake>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    match intake.receive(&parts, body, Expected::by_content_type(&parts.headers)).await {
        Ok(_) => StatusCode::OK.into_response(),
        Err(_) => StatusCode::BAD_REQUEST.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use tower::ServiceExt;

    use super::*;
    use crate::mdm::identity::tests::device;

    async fn status(body: &[u8], signed: &[u8]) -> StatusCode {
        let request = http::Request::put("/mdm").header("mdm-signature", device("a").signature(signed));
        let router = floor_router(DeviceSettings::default());
        router.oneshot(request.body(Body::from(body.to_vec())).unwrap()).await.unwrap().status()
    }

    #[tokio::test]
    async fn the_floor_verifies_and_parses() {
        let ids = apple::Identifiers { udid: Some("U-1".into()), ..apple::Identifiers::default() };
        let idle = apple::Report::idle(ids).encode();
        assert_eq!(status(&idle, &idle).await, 200);
        assert_eq!(status(&idle, b"another").await, 400);
        assert_eq!(status(b"no plist", b"no plist").await, 400);
    }
}
