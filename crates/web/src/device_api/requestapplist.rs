//! `device/requestapplist`: asks one device which apps it has.

use std::sync::Arc;

use axum::extract::State;
use domain::{Action, Mdm, RequestAppList};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    caller::DeviceCall,
    documents::{DeviceRequest, Refusals},
    envelope::{Envelope, Nothing},
    error::Failure,
};

/// Nothing beside the device's name.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct RequestAppListRequest {}

/// Asks one device which apps it has, when it next connects; `app/list` and `app/info` then show them.
#[utoipa::path(
    post,
    path = "/api/mdm/v2/device/requestapplist",
    request_body = inline(DeviceRequest<RequestAppListRequest>),
    responses((status = 200, description = "The questions are queued", body = inline(Envelope<Nothing>)), Refusals),
)]
pub(super) async fn request_app_list(
    State(mdm): State<Arc<Mdm>>,
    call: DeviceCall<RequestAppListRequest>,
) -> Result<Envelope<Nothing>, Failure> {
    let view = mdm.device(&call.actor, &call.device).await?;
    mdm.act(&call.actor, view.device.id, &Action::RequestAppList(RequestAppList)).await?;
    Ok(Envelope::success(Nothing {}))
}
