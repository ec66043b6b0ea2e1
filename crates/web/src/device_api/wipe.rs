//! `device/wipe`: erases one device, or takes only what is managed off it.

use std::sync::Arc;

use axum::extract::State;
use domain::{Action, Mdm, Wipe};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    caller::DeviceCall,
    documents::{DeviceRequest, Refusals},
    envelope::{Envelope, Nothing},
    error::Failure,
    fields::Scalar,
};

/// How much of the device is wiped.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub(super) struct WipeRequest {
    /// Six digits that open the Mac again (macOS, full wipe only); without it the server makes one up and keeps it.
    #[schema(value_type = Option<String>, example = "123456")]
    macpin: Scalar,
    /// Whether only what is managed goes, and the management with it; as a flag or as a text.
    #[schema(value_type = Option<bool>)]
    partial: Scalar,
}

/// Erases one device when it next connects, or takes the management and all that is managed off it. A device that
/// belongs to its user is never erased: of it goes what is managed.
#[utoipa::path(
    post,
    path = "/api/mdm/v2/device/wipe",
    request_body = inline(DeviceRequest<WipeRequest>),
    responses((status = 200, description = "The wipe is queued", body = inline(Envelope<Nothing>)), Refusals),
)]
pub(super) async fn wipe(
    State(mdm): State<Arc<Mdm>>,
    call: DeviceCall<WipeRequest>,
) -> Result<Envelope<Nothing>, Failure> {
    let wipe = call.body.wipe()?;
    let view = mdm.device(&call.actor, &call.device).await?;
    mdm.act(&call.actor, view.device.id, &Action::Wipe(wipe)).await?;
    Ok(Envelope::success(Nothing {}))
}

impl WipeRequest {
    /// The PIN is looked at in any case, so that a mistake in it is told.
    fn wipe(self) -> Result<Wipe, Failure> {
        let full = Wipe::full(self.macpin.text("macpin")?)?;
        Ok(if self.partial.flag("partial")? == Some(true) { Wipe::Partial } else { full })
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{error::ErrorCode, fields::parse},
        *,
    };

    fn wipe(body: &str) -> Result<Wipe, Failure> {
        parse::<WipeRequest>(body.as_bytes()).unwrap().wipe()
    }

    #[test]
    fn everything_goes_unless_only_a_part_is_asked_for() {
        let full = Wipe::full(None).unwrap();
        for body in
            ["{}", r#"{"partial":false}"#, r#"{"partial":"false"}"#, r#"{"partial":null,"macpin":""}"#]
        {
            assert_eq!(wipe(body).unwrap(), full, "{body}");
        }
        for body in [r#"{"partial":true}"#, r#"{"partial":"true","macpin":"123456"}"#] {
            assert_eq!(wipe(body).unwrap(), Wipe::Partial, "{body}");
        }
        let pin = Wipe::full(Some("123456".into())).unwrap();
        assert_eq!(wipe(r#"{"macpin":"123456"}"#).unwrap(), pin);
    }

    #[test]
    fn a_parameter_that_cannot_be_is_named() {
        for (body, field) in [
            (r#"{"macpin":"12345"}"#, "macpin"),
            (r#"{"macpin":123456}"#, "macpin"),
            (r#"{"macpin":"x","partial":true}"#, "macpin"),
            (r#"{"partial":"yes"}"#, "partial"),
            (r#"{"partial":1}"#, "partial"),
        ] {
            let failure = wipe(body).unwrap_err();
            assert_eq!((failure.code, failure.field), (ErrorCode::InvalidField, Some(field)), "{body}");
        }
    }
}
