//! Device Lifecycle API: programs that delete devices for ever.
//!
//! One file per call; the line that adds one stands in [`calls`]. What fails travels as an [`error::Failure`] to the
//! [`edge`], which knows the path and the time that the published error body tells.

mod documents;
mod edge;
mod error;
mod login;
mod purge;

use axum::{Router, routing::any};
use utoipa::openapi::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::api_state::ApiState;

/// Where this API lives, and everything below.
const ROOTS: [&str; 6] =
    ["/v1", "/v1/", "/v1/{*call}", "/device-lifecycle", "/device-lifecycle/", "/device-lifecycle/{*call}"];

/// The routes of this API.
pub(crate) fn router(state: &ApiState) -> Router<ApiState> {
    let (router, _) = calls().split_for_parts();
    let router = ROOTS.into_iter().fold(router, |router, path| router.route(path, any(edge::unknown_path)));
    edge::around(router, edge::Edge::of(state))
}

/// Its OpenAPI document.
pub(crate) fn document() -> OpenApi {
    calls().into_openapi()
}

fn calls() -> OpenApiRouter<ApiState> {
    OpenApiRouter::with_openapi(documents::document())
        .routes(routes!(login::login))
        .routes(routes!(purge::purge))
}
