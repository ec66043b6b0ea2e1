//! How the world calls us: every HTTP face, in a file or a folder of its own.
//!
//! Two routers that share no route. [`device_router`] is what devices see; read `mdm.rs` first, which takes
//! their messages, then `mdm/identity.rs`, which says who sent one. A handler reads the request, calls one
//! operation of [`domain::Mdm`] and answers; what may be held and done at once is bounded in `limits.rs`.

mod base64_text;
mod enroll;
mod failure;
mod health;
mod limits;
mod mdm;
mod peer;
mod scep;
mod state;

use std::sync::Arc;

pub use axum::Router;
use axum::routing::{get, put};
use domain::Mdm;
pub use http::HeaderName;

pub use peer::{PeerAddress, PeerCertificate};
pub use state::DeviceSettings;
use state::DeviceState;

/// The device listener: MDM, SCEP, enrollment.
///
/// The accept loop puts a [`PeerAddress`], and a [`PeerCertificate`] where the client showed one, into each
/// request's extensions; it also limits connections, handshakes and headers. Nothing in here answers 401 but
/// a deliberate [`domain::Refusal::Unenroll`].
pub fn device_router(mdm: Arc<Mdm>, settings: DeviceSettings) -> Router {
    let router = Router::new()
        .route("/mdm", put(mdm::serve))
        .route("/checkin", put(mdm::check_in))
        .route("/scep", get(scep::serve).post(scep::serve))
        .route("/enroll/{token}", get(enroll::serve))
        .route("/healthz", get(health::alive));
    limits::guarded(router).with_state(Arc::new(DeviceState::new(mdm, settings)))
}
