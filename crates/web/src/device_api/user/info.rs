//! `user/info`: what is known of one user.

use std::sync::Arc;

use axum::extract::State;
use domain::Mdm;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    super::{
        caller::Call,
        documents::{CallRequest, Refusals},
        envelope::Envelope,
        error::Failure,
        fields::Scalar,
        user_object::UserObject,
    },
    sid,
};

/// Which user.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub(in super::super) struct UserInfoRequest {
    /// The user's id. Without it, whoever calls is meant: with an API key its administrator. Users see only themselves.
    #[schema(value_type = Option<String>, example = "465874fd-28a6-4f0d-bc53-43df50552fe2")]
    sid: Scalar,
}

/// One user.
#[derive(Debug, Serialize, ToSchema)]
pub(in super::super) struct UserInfo {
    userinfo: UserObject,
}

/// Answers what is known of one user.
#[utoipa::path(
    post,
    path = "/api/mdm/v2/user/info",
    request_body = inline(CallRequest<UserInfoRequest>),
    responses((status = 200, description = "The user", body = inline(Envelope<UserInfo>)), Refusals),
)]
pub(in super::super) async fn info(
    State(mdm): State<Arc<Mdm>>,
    call: Call<UserInfoRequest>,
) -> Result<Envelope<UserInfo>, Failure> {
    let account = mdm.account(&call.actor, sid(call.body.sid)?).await?;
    Ok(Envelope::success(UserInfo { userinfo: account.into() }))
}
