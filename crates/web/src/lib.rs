//! How the world calls us: every HTTP face, in a file or a folder of its own.
//!
//! Two routers that share no route. [`device_router`] is what devices see; read `mdm.rs` first, which takes their
//! messages, then `mdm/identity.rs`, which says who sent one. [`api_router`] is what other systems and operators see;
//! read `device_api.rs`, `lifecycle_api.rs` and `admin_api.rs`, a face each, which know nothing of each other. A handler reads the
//! request, calls one operation of [`domain::Mdm`] and answers; what may be held and done at once is bounded in
//! `limits.rs`.

mod admin_api;
mod api;
mod api_state;
mod base64_text;
mod credentials;
mod device_api;
mod docs;
mod enroll;
mod enrolling;
mod failure;
mod google_push;
mod health;
mod identifiers;
mod json_body;
mod lifecycle_api;
mod limits;
mod mdm;
mod metrics;
mod openapi;
mod peer;
mod readiness;
mod scep;
mod state;
mod throttle;

use std::sync::Arc;

pub use axum::Router;
use axum::routing::{get, post, put};
use domain::{ANDROID_PUSH_PATH, Mdm};
pub use http::HeaderName;

pub use api::{ApiSettings, api_router};
pub use mdm::floor_router;
pub use metrics::HttpMetrics;
pub use openapi::openapi_documents;
pub use peer::{PeerAddress, PeerCertificate};
pub use state::DeviceSettings;
use state::DeviceState;

/// The device listener: MDM, SCEP, enrollment; and Google's pushes, where the server is set so.
///
/// The accept loop puts a [`PeerAddress`], and a [`PeerCertificate`] where the client showed one, into each
/// request's extensions; it also limits connections, handshakes and headers. Nothing in here answers 401 but
/// a deliberate [`domain::Refusal::Unenroll`].
pub fn device_router(mdm: Arc<Mdm>, settings: DeviceSettings) -> Router {
    let mut router = Router::new()
        .route("/mdm", put(mdm::serve))
        .route("/checkin", put(mdm::check_in))
        .route("/scep", get(scep::serve).post(scep::serve))
        .route("/enroll/{token}", get(enroll::serve))
        .route("/healthz", get(health::alive));
    if mdm.takes_android_pushes() {
        router = router.route(&format!("{ANDROID_PUSH_PATH}/{{tenant}}"), post(google_push::serve));
    }
    let layers = (settings.metrics.layer("devices"), limits::guard());
    router.layer(layers).with_state(Arc::new(DeviceState::new(mdm, settings)))
}
