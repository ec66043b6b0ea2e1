//! `app/info`: one of the apps that one device reported.

use std::sync::Arc;

use axum::extract::State;
use domain::Mdm;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    app_object::AppObject,
    caller::DeviceCall,
    documents::{DeviceRequest, Refusals},
    envelope::Envelope,
    error::{ErrorCode, Failure},
    fields::Scalar,
};

/// Which app.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub(super) struct AppInfoRequest {
    /// The app's id, as `app/list` has it: its bundle identifier.
    #[schema(value_type = String, example = "com.example.notes")]
    id: Scalar,
}

/// One app.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AppInfo {
    appinfo: AppObject,
}

/// Answers what one device reported of one app.
#[utoipa::path(
    post,
    path = "/api/mdm/v2/app/info",
    request_body = inline(DeviceRequest<AppInfoRequest>),
    responses((status = 200, description = "The app", body = inline(Envelope<AppInfo>)), Refusals),
)]
pub(super) async fn app_info(
    State(mdm): State<Arc<Mdm>>,
    call: DeviceCall<AppInfoRequest>,
) -> Result<Envelope<AppInfo>, Failure> {
    let id = call.body.id()?;
    let view = mdm.app(&call.actor, &call.device, &id).await?;
    Ok(Envelope::success(AppInfo { appinfo: AppObject::new(view.platform, &view.app) }))
}

impl AppInfoRequest {
    /// No app has U+0000 in its id, and no database looks for one.
    fn id(self) -> Result<String, Failure> {
        let id =
            self.id.text("id")?.filter(|id| !id.is_empty()).ok_or(Failure::new(ErrorCode::AppNotNamed))?;
        if id.contains('\0') { Err(Failure::new(ErrorCode::AppNotFound)) } else { Ok(id) }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::fields::parse, *};

    fn id(body: &str) -> Result<String, ErrorCode> {
        parse::<AppInfoRequest>(body.as_bytes()).unwrap().id().map_err(|failure| failure.code)
    }

    #[test]
    fn an_app_is_named_by_its_id() {
        assert_eq!(id(r#"{"id":"com.example.notes"}"#), Ok("com.example.notes".into()));
        for body in ["{}", r#"{"id":""}"#, r#"{"id":null}"#] {
            assert_eq!(id(body), Err(ErrorCode::AppNotNamed), "{body}");
        }
        assert_eq!(id(r#"{"id":7}"#), Err(ErrorCode::InvalidField));
        assert_eq!(id(r#"{"id":"a\u0000"}"#), Err(ErrorCode::AppNotFound));
    }
}
