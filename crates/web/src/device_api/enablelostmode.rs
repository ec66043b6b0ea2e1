//! `device/enablelostmode`: locks one device for whoever finds it.

use std::sync::Arc;

use axum::extract::State;
use domain::{Action, EnableLostMode, Mdm, Platform};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    caller::DeviceCall,
    documents::{DeviceRequest, Refusals},
    envelope::{Envelope, Nothing},
    error::Failure,
    fields::Scalar,
};

/// What a finder reads; `message` or `phonenumber` is needed.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub(super) struct EnableLostModeRequest {
    /// Shown on the lock screen; at most 1024 bytes.
    #[schema(value_type = Option<String>)]
    message: Scalar,
    /// Shown on the lock screen; at most 1024 bytes.
    #[schema(value_type = Option<String>)]
    phonenumber: Scalar,
    /// Shown at the foot of the lock screen; at most 1024 bytes.
    #[schema(value_type = Option<String>)]
    footnote: Scalar,
    /// Shown on the lock screen (Android only); at most 1024 bytes.
    #[schema(value_type = Option<String>)]
    email: Scalar,
    /// A new passcode, set once the device is in lost mode (Android only).
    #[schema(value_type = Option<String>)]
    password: Scalar,
}

/// Locks one supervised device for whoever finds it, when it next connects; then it can be located.
#[utoipa::path(
    post,
    path = "/api/mdm/v2/device/enablelostmode",
    request_body = inline(DeviceRequest<EnableLostModeRequest>),
    responses((status = 200, description = "The lost mode is queued", body = inline(Envelope<Nothing>)), Refusals),
)]
pub(super) async fn enable_lost_mode(
    State(mdm): State<Arc<Mdm>>,
    call: DeviceCall<EnableLostModeRequest>,
) -> Result<Envelope<Nothing>, Failure> {
    let view = mdm.device(&call.actor, &call.device).await?;
    let lost = call.body.lost_mode(view.device.facts.platform)?;
    mdm.act(&call.actor, view.device.id, &Action::EnableLostMode(lost)).await?;
    Ok(Envelope::success(Nothing {}))
}

impl EnableLostModeRequest {
    /// What is for Android devices only is looked at for those alone, as published.
    fn lost_mode(self, platform: Option<Platform>) -> Result<EnableLostMode, Failure> {
        let message = self.message.text("message")?;
        let phone_number = self.phonenumber.text("phonenumber")?;
        let lost = EnableLostMode::new(message, phone_number, self.footnote.text("footnote")?)?;
        match platform {
            Some(Platform::Android) => {
                Ok(lost.for_android(self.email.text("email")?, self.password.text("password")?)?)
            }
            _ => Ok(lost),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{error::ErrorCode, fields::parse},
        *,
    };

    fn lost_mode(body: &str) -> Result<EnableLostMode, Failure> {
        parse::<EnableLostModeRequest>(body.as_bytes()).unwrap().lost_mode(Some(Platform::Ipados))
    }

    #[test]
    fn a_message_or_a_number_is_needed() {
        let text = |text: &str| Some(text.to_owned());
        let message = EnableLostMode::new(text("Call us"), None, None).unwrap();
        assert_eq!(lost_mode(r#"{"message":"Call us","phonenumber":""}"#).unwrap(), message);
        let number = EnableLostMode::new(None, text("0123"), text("ACME")).unwrap();
        let body = r#"{"phonenumber":"0123","footnote":"ACME","password":1234}"#;
        assert_eq!(lost_mode(body).unwrap(), number);
        for body in ["{}", r#"{"message":"","phonenumber":null}"#, r#"{"footnote":"ACME"}"#] {
            assert_eq!(lost_mode(body).unwrap_err().code, ErrorCode::NothingToShow, "{body}");
        }
    }

    #[test]
    fn a_text_that_cannot_be_shown_is_named() {
        for (body, field) in [
            (r#"{"message":7}"#, "message"),
            (r#"{"message":"x","footnote":"\u0007"}"#, "footnote"),
            (r#"{"phonenumber":true}"#, "phonenumber"),
        ] {
            let failure = lost_mode(body).unwrap_err();
            assert_eq!((failure.code, failure.field), (ErrorCode::InvalidField, Some(field)), "{body}");
        }
    }
}
