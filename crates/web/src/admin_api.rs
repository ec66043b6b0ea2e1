//! Admin API: what operators ask of devices, and how it went.
//!
//! One file per call; the line that adds one stands in [`calls`]. A handler gets its [`caller`], calls one operation of
//! the domain and answers JSON; whatever fails travels as an [`error::Failure`], which is a problem of RFC 9457.

mod caller;
mod cancel;
mod command_object;
mod diagnosis;
mod documents;
mod edge;
mod error;
mod list;
mod reveal;
mod send;
mod show;

use axum::{Router, routing::any};
use utoipa::openapi::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::api_state::ApiState;

/// Where this API lives, and everything below.
const ROOT: [&str; 3] = ["/api/admin/v1", "/api/admin/v1/", "/api/admin/v1/{*call}"];

/// The routes of this API.
pub(crate) fn router() -> Router<ApiState> {
    let (router, _) = calls().split_for_parts();
    edge::around(ROOT.into_iter().fold(router, |router, path| router.route(path, any(edge::unknown_path))))
}

/// Its OpenAPI document.
pub(crate) fn document() -> OpenApi {
    calls().into_openapi()
}

fn calls() -> OpenApiRouter<ApiState> {
    OpenApiRouter::with_openapi(documents::document())
        .routes(routes!(send::send, list::list))
        .routes(routes!(show::show))
        .routes(routes!(cancel::cancel))
        .routes(routes!(diagnosis::diagnosis))
        .routes(routes!(reveal::reveal))
}
