//! Device API v2: what other systems see and ask of devices.
//!
//! One file per call; the line that adds one stands in [`calls`]. A handler gets its [`caller`] and the fields of its
//! body, calls one operation of the domain, and answers an [`envelope`]; whatever fails travels as an [`error::Failure`]
//! to the [`edge`], which puts it into the caller's language.

mod caller;
mod dates;
mod device_name;
mod device_object;
mod documents;
mod edge;
mod envelope;
mod error;
mod fields;
mod info;
mod language;
mod list;
mod lockscreen;
mod messages;
mod model_name;
mod storage;

use axum::{Router, routing::any};
use utoipa::openapi::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::api_state::ApiState;

/// Where this API lives, and everything below.
const ROOT: [&str; 3] = ["/api/mdm/v2", "/api/mdm/v2/", "/api/mdm/v2/{*call}"];

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
        .routes(routes!(info::info))
        .routes(routes!(list::list))
        .routes(routes!(lockscreen::lock_screen))
}
