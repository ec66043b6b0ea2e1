//! `user/renewtoken`: another access token for one that is good.

use std::sync::Arc;

use axum::extract::State;
use domain::Mdm;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    super::{
        caller::TokenCall,
        documents::{CallRequest, Refusals},
        envelope::Envelope,
        error::Failure,
    },
    login::IssuedToken,
};

/// Nothing beside the token.
#[derive(Debug, Deserialize, ToSchema)]
pub(in super::super) struct RenewTokenRequest {}

/// Answers another access token, good for one hour. The one before stays good until it expires.
#[utoipa::path(
    post,
    path = "/api/mdm/v2/user/renewtoken",
    request_body = inline(CallRequest<RenewTokenRequest>),
    responses((status = 200, description = "The new token", body = inline(Envelope<IssuedToken>)), Refusals),
)]
pub(in super::super) async fn renew_token(
    State(mdm): State<Arc<Mdm>>,
    call: TokenCall<RenewTokenRequest>,
) -> Result<Envelope<IssuedToken>, Failure> {
    let RenewTokenRequest {} = call.body;
    let token = mdm.renew_token(&call.session).await?;
    Ok(Envelope::success(IssuedToken { token }))
}
