//! `user/login`: an access token for someone who knows their password.

use axum::extract::State;
use domain::{Error, Limited, Login, LoginKind, TenantId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::{
    caller::OpenCall,
    documents::Refusals,
    envelope::Envelope,
    error::{ErrorCode, Failure},
    fields::Scalar,
    messages::Expected,
};
use crate::{api_state::ApiState, identifiers};

/// Who wants to log in.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub(in super::super) struct LoginRequest {
    /// `basic`: with name and password.
    #[schema(value_type = String, example = "basic")]
    r#type: Scalar,
    /// `user` or `admin`.
    #[schema(value_type = String, example = "user")]
    usertype: Scalar,
    /// The e-mail address.
    #[schema(value_type = String, example = "ada@example.com")]
    username: Scalar,
    #[schema(value_type = String)]
    password: Scalar,
    /// The tenant's id; needed by an administrator who has several.
    #[schema(value_type = Option<String>)]
    mtcid: Scalar,
}

/// An access token.
#[derive(Debug, Serialize, ToSchema)]
pub(in super::super) struct IssuedToken {
    /// Good for one hour; it travels as the field `token` of every request.
    pub(super) token: String,
}

/// Answers an access token to someone who knows their password. Wrong passwords are slowed down, by account and by
/// address.
#[utoipa::path(
    post,
    path = "/api/mdm/v2/user/login",
    security(()),
    request_body = inline(LoginRequest),
    responses((status = 200, description = "The token", body = inline(Envelope<IssuedToken>)), Refusals),
)]
pub(in super::super) async fn log_in(
    State(state): State<ApiState>,
    call: OpenCall<LoginRequest>,
) -> Result<Envelope<IssuedToken>, Failure> {
    let login = call.body.login()?;
    let _pass = state.logins.enter().await.ok_or(Failure::new(ErrorCode::Unavailable))?;
    let now = state.mdm.now();
    if let Some(wait) = state.throttle.wait(call.origin, now) {
        return Err(Failure::slowed_down(wait));
    }
    let answer = state.mdm.log_in(&login).await;
    if matches!(answer, Err(Error::Unauthenticated)) {
        state.throttle.count(call.origin, now);
        tracing::info!(peer = %call.origin, "a login with a wrong name or password");
    }
    match answer? {
        Limited::Free(token) => Ok(Envelope::success(IssuedToken { token })),
        Limited::Blocked(wait) => Err(Failure::slowed_down(wait)),
    }
}

impl LoginRequest {
    fn login(self) -> Result<Login, Failure> {
        let is_basic = self.r#type.text("type")?.is_some_and(|it| it.eq_ignore_ascii_case("basic"));
        if !is_basic {
            return Err(Failure::invalid("type", Expected::Basic));
        }
        let kind = match self.usertype.text("usertype")?.map(|it| it.to_ascii_lowercase()).as_deref() {
            Some("user") => LoginKind::User,
            Some("admin") => LoginKind::Admin(tenant(self.mtcid)?),
            _ => return Err(Failure::invalid("usertype", Expected::UserOrAdmin)),
        };
        Ok(Login {
            kind,
            username: self.username.needed_text("username")?,
            password: self.password.needed_text("password")?,
        })
    }
}

/// A tenant that cannot be is one that the administrator has no access to.
fn tenant(mtcid: Scalar) -> Result<Option<TenantId>, Failure> {
    let given = mtcid.text("mtcid")?.filter(|id| !id.is_empty());
    given
        .map(|id| identifiers::uuid(&id).map(TenantId).ok_or(Failure::new(ErrorCode::Unauthenticated)))
        .transpose()
}

#[cfg(test)]
mod tests {
    use super::{super::super::fields::parse, *};

    fn login(body: &str) -> Result<Login, Failure> {
        parse::<LoginRequest>(body.as_bytes()).unwrap().login()
    }

    #[test]
    fn who_logs_in_is_read() {
        let user = r#"{"type":"basic","usertype":"user","username":"a@b","password":" p "}"#;
        let user = login(user).unwrap();
        assert_eq!((user.kind, &*user.username, &*user.password), (LoginKind::User, "a@b", " p "));
        let admin = r#"{"type":"Basic","usertype":"ADMIN","username":"a@b","password":"","mtcid":""}"#;
        assert_eq!(login(admin).unwrap().kind, LoginKind::Admin(None));
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        for (body, field) in [
            (r#"{"usertype":"user","username":"a@b","password":"p"}"#, "type"),
            (r#"{"type":"oauth","usertype":"user","username":"a@b","password":"p"}"#, "type"),
            (r#"{"type":"basic","username":"a@b","password":"p"}"#, "usertype"),
            (r#"{"type":"basic","usertype":"guest","username":"a@b","password":"p"}"#, "usertype"),
            (r#"{"type":"basic","usertype":"user","password":"p"}"#, "username"),
            (r#"{"type":"basic","usertype":"user","username":"a@b"}"#, "password"),
            (r#"{"type":"basic","usertype":"user","username":"a@b","password":7}"#, "password"),
        ] {
            assert_eq!(login(body).unwrap_err().field, Some(field), "{body}");
        }
        let nowhere = r#"{"type":"basic","usertype":"admin","username":"a@b","password":"p","mtcid":"x"}"#;
        assert_eq!(login(nowhere).unwrap_err().code, ErrorCode::Unauthenticated);
    }
}
