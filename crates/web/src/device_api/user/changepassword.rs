//! `user/changepassword`: a new password for whoever knows the old one.

use axum::extract::State;
use domain::Limited;
use serde::Deserialize;
use utoipa::ToSchema;

use super::super::{
    caller::TokenCall,
    documents::{CallRequest, Refusals},
    envelope::{Envelope, Nothing},
    error::{ErrorCode, Failure},
    fields::Scalar,
    messages::Expected,
};
use crate::api_state::ApiState;

/// The old password, and twice the new one.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub(in super::super) struct ChangePasswordRequest {
    #[schema(value_type = String)]
    oldpassword: Scalar,
    /// At least 8 characters, at most 1024 bytes.
    #[schema(value_type = String)]
    newpassword: Scalar,
    /// The same once more.
    #[schema(value_type = String)]
    confirmnewpassword: Scalar,
}

/// Changes the password of the caller, a user or an administrator. All their other access tokens end.
#[utoipa::path(
    post,
    path = "/api/mdm/v2/user/changepassword",
    request_body = inline(CallRequest<ChangePasswordRequest>),
    responses((status = 200, description = "It is changed", body = inline(Envelope<Nothing>)), Refusals),
)]
pub(in super::super) async fn change_password(
    State(state): State<ApiState>,
    call: TokenCall<ChangePasswordRequest>,
) -> Result<Envelope<Nothing>, Failure> {
    let (old, new) = call.body.read()?;
    let _pass = state.logins.enter().await.ok_or(Failure::new(ErrorCode::Unavailable))?;
    let now = state.mdm.now();
    if let Some(wait) = state.throttle.wait(call.origin, now) {
        return Err(Failure::slowed_down(wait));
    }
    match state.mdm.change_password(&call.session, &old, &new).await? {
        Limited::Free(true) => Ok(Envelope::success(Nothing {})),
        Limited::Free(false) => {
            state.throttle.count(call.origin, now);
            Err(Failure::invalid("oldpassword", Expected::PresentPassword))
        }
        Limited::Blocked(wait) => Err(Failure::slowed_down(wait)),
    }
}

impl ChangePasswordRequest {
    fn read(self) -> Result<(String, String), Failure> {
        let old = self.oldpassword.needed_text("oldpassword")?;
        let new = self.newpassword.needed_text("newpassword")?;
        if self.confirmnewpassword.needed_text("confirmnewpassword")? != new {
            return Err(Failure::invalid("confirmnewpassword", Expected::SameAsNewPassword));
        }
        Ok((old, new))
    }
}

#[cfg(test)]
mod tests {
    use super::{super::super::fields::parse, *};

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        for (body, field) in [
            (r#"{"newpassword":"n","confirmnewpassword":"n"}"#, "oldpassword"),
            (r#"{"oldpassword":"o","confirmnewpassword":"n"}"#, "newpassword"),
            (r#"{"oldpassword":"o","newpassword":"n"}"#, "confirmnewpassword"),
            (r#"{"oldpassword":"o","newpassword":"n","confirmnewpassword":"m"}"#, "confirmnewpassword"),
        ] {
            let request: ChangePasswordRequest = parse(body.as_bytes()).unwrap();
            assert_eq!(request.read().unwrap_err().field, Some(field), "{body}");
        }
    }
}
