//! `device/resetpasscode`: clears the passcode of one device.

use std::sync::Arc;

use axum::extract::State;
use domain::{Action, Mdm, Platform, ResetPasscode};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    caller::DeviceCall,
    documents::{DeviceRequest, Refusals},
    envelope::{Envelope, Nothing},
    error::Failure,
    fields::Scalar,
};

/// What Android devices need beside the device's name.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub(super) struct ResetPasscodeRequest {
    /// The new passcode (Android only); not looked at for other devices.
    #[schema(value_type = Option<String>)]
    password: Scalar,
}

/// Clears the passcode of one device, when it next connects; where a policy asks for one, its user has to set a new one.
#[utoipa::path(
    post,
    path = "/api/mdm/v2/device/resetpasscode",
    request_body = inline(DeviceRequest<ResetPasscodeRequest>),
    responses((status = 200, description = "The reset is queued", body = inline(Envelope<Nothing>)), Refusals),
)]
pub(super) async fn reset_passcode(
    State(mdm): State<Arc<Mdm>>,
    call: DeviceCall<ResetPasscodeRequest>,
) -> Result<Envelope<Nothing>, Failure> {
    let view = mdm.device(&call.actor, &call.device).await?;
    let reset = call.body.reset(view.device.facts.platform)?;
    mdm.act(&call.actor, view.device.id, &Action::ResetPasscode(reset)).await?;
    Ok(Envelope::success(Nothing {}))
}

impl ResetPasscodeRequest {
    /// Only for Android devices the password is looked at, as published.
    fn reset(self, platform: Option<Platform>) -> Result<ResetPasscode, Failure> {
        match platform {
            Some(Platform::Android) => Ok(ResetPasscode::new(self.password.text("password")?)?),
            _ => Ok(ResetPasscode::default()),
        }
    }
}
