//! `device/disablelostmode`: gives one device back to its user.

use std::sync::Arc;

use axum::extract::State;
use domain::{Action, DisableLostMode, Mdm};
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
pub(super) struct DisableLostModeRequest {}

/// Ends the lost mode of one device, when it next connects.
#[utoipa::path(
    post,
    path = "/api/mdm/v2/device/disablelostmode",
    request_body = inline(DeviceRequest<DisableLostModeRequest>),
    responses((status = 200, description = "The end of the lost mode is queued", body = inline(Envelope<Nothing>)), Refusals),
)]
pub(super) async fn disable_lost_mode(
    State(mdm): State<Arc<Mdm>>,
    call: DeviceCall<DisableLostModeRequest>,
) -> Result<Envelope<Nothing>, Failure> {
    let view = mdm.device(&call.actor, &call.device).await?;
    mdm.act(&call.actor, view.device.id, &Action::DisableLostMode(DisableLostMode)).await?;
    Ok(Envelope::success(Nothing {}))
}
