//! `device/lockscreen`: locks the screen of one device.

use std::sync::Arc;

use axum::extract::State;
use domain::{Action, Lock, Mdm};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    caller::DeviceCall,
    documents::{DeviceRequest, Refusals},
    envelope::{Envelope, Nothing},
    error::Failure,
    fields::Scalar,
};

/// What the lock screen shows, and the PIN that opens a Mac.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub(super) struct LockScreenRequest {
    /// Shown on the lock screen; at most 1024 bytes.
    #[schema(value_type = Option<String>)]
    message: Scalar,
    /// Shown on the lock screen; at most 1024 bytes.
    #[schema(value_type = Option<String>)]
    phonenumber: Scalar,
    /// Six digits that open the Mac again (macOS only); without it the server makes one up and keeps it.
    #[schema(value_type = Option<String>, example = "123456")]
    macpin: Scalar,
}

/// Locks the screen of one device, when it next connects.
#[utoipa::path(
    post,
    path = "/api/mdm/v2/device/lockscreen",
    request_body = inline(DeviceRequest<LockScreenRequest>),
    responses((status = 200, description = "The lock is queued", body = inline(Envelope<Nothing>)), Refusals),
)]
pub(super) async fn lock_screen(
    State(mdm): State<Arc<Mdm>>,
    call: DeviceCall<LockScreenRequest>,
) -> Result<Envelope<Nothing>, Failure> {
    let lock = call.body.lock()?;
    let view = mdm.device(&call.actor, &call.device).await?;
    mdm.act(&call.actor, view.device.id, &Action::Lock(lock)).await?;
    Ok(Envelope::success(Nothing {}))
}

impl LockScreenRequest {
    fn lock(self) -> Result<Lock, Failure> {
        let message = self.message.text("message")?;
        let phone_number = self.phonenumber.text("phonenumber")?;
        Ok(Lock::new(message, phone_number, self.macpin.text("macpin")?)?)
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{error::ErrorCode, fields::parse},
        *,
    };

    fn lock(body: &str) -> Result<Lock, Failure> {
        parse::<LockScreenRequest>(body.as_bytes()).unwrap().lock()
    }

    #[test]
    fn every_parameter_is_optional() {
        assert_eq!(lock("{}").unwrap(), Lock::default());
        assert_eq!(lock(r#"{"message":null,"phonenumber":"","macpin":""}"#).unwrap(), Lock::default());
    }

    #[test]
    fn the_parameters_reach_the_lock() {
        let text = |text: &str| Some(text.to_owned());
        let expected = Lock::new(text("Call me"), text("0123456789"), text("123456")).unwrap();
        let body = r#"{"clientid":"x","message":"Call me","phonenumber":"0123456789","macpin":"123456"}"#;
        assert_eq!(lock(body).unwrap(), expected);
    }

    #[test]
    fn a_parameter_that_cannot_be_is_named() {
        for (body, field) in [
            (r#"{"macpin":"12345"}"#, "macpin"),
            (r#"{"macpin":123456}"#, "macpin"),
            (r#"{"message":["hello"]}"#, "message"),
            (r#"{"phonenumber":true}"#, "phonenumber"),
            (r#"{"message":"\u0000"}"#, "message"),
        ] {
            let failure = lock(body).unwrap_err();
            assert_eq!((failure.code, failure.field), (ErrorCode::InvalidField, Some(field)), "{body}");
        }
    }
}
