//! `device/requestlocation`: asks one device in lost mode where it is.

use std::sync::Arc;

use axum::extract::State;
use domain::{Action, Mdm, RequestLocation};
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
pub(super) struct RequestLocationRequest {}

/// Asks one device in lost mode where it is, when it next connects; `device/info` then shows it.
#[utoipa::path(
    post,
    path = "/api/mdm/v2/device/requestlocation",
    request_body = inline(DeviceRequest<RequestLocationRequest>),
    responses((status = 200, description = "The question is queued", body = inline(Envelope<Nothing>)), Refusals),
)]
pub(super) async fn request_location(
    State(mdm): State<Arc<Mdm>>,
    call: DeviceCall<RequestLocationRequest>,
) -> Result<Envelope<Nothing>, Failure> {
    let view = mdm.device(&call.actor, &call.device).await?;
    mdm.act(&call.actor, view.device.id, &Action::RequestLocation(RequestLocation)).await?;
    Ok(Envelope::success(Nothing {}))
}
