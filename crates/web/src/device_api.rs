//! Device API v2: what other systems see and ask of devices.
//!
//! One file per call; the line that adds one stands in [`calls`]. A handler gets its [`caller`] and the fields of its
//! body, calls one operation of the domain, and answers an [`envelope`]; whatever fails travels as an [`error::Failure`]
//! to the [`edge`], which puts it into the caller's language.

mod app_info;
mod app_list;
mod app_object;
mod caller;
mod dates;
mod device_name;
mod device_object;
mod disablelostmode;
mod documents;
mod edge;
mod enablelostmode;
mod envelope;
mod error;
mod fields;
mod group_list;
mod info;
mod language;
mod list;
mod lockscreen;
mod messages;
mod model_name;
mod paging;
mod requestapplist;
mod requestlocation;
mod resetpasscode;
mod storage;
mod stream;
mod token_status;
mod user;
mod user_object;
mod wipe;

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
        .routes(routes!(app_info::app_info))
        .routes(routes!(app_list::app_list))
        .routes(routes!(disablelostmode::disable_lost_mode))
        .routes(routes!(enablelostmode::enable_lost_mode))
        .routes(routes!(group_list::group_list))
        .routes(routes!(info::info))
        .routes(routes!(list::list))
        .routes(routes!(lockscreen::lock_screen))
        .routes(routes!(requestapplist::request_app_list))
        .routes(routes!(requestlocation::request_location))
        .routes(routes!(resetpasscode::reset_passcode))
        .routes(routes!(user::changepassword::change_password))
        .routes(routes!(user::create::create))
        .routes(routes!(user::delete::delete))
        .routes(routes!(user::info::info))
        .routes(routes!(user::list::list))
        .routes(routes!(user::login::log_in))
        .routes(routes!(user::mdmprofile::mdm_profile, user::mdmprofile::mdm_profile_by_link))
        .routes(routes!(user::renewtoken::renew_token))
        .routes(routes!(wipe::wipe))
}
