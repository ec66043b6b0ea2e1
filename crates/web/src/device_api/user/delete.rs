//! `user/delete`: a user goes, and leaves their devices behind.

use std::sync::Arc;

use axum::extract::State;
use domain::Mdm;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    super::{
        caller::Call,
        documents::{CallRequest, Refusals},
        envelope::{Envelope, Nothing},
        error::Failure,
        fields::Scalar,
        messages::Expected,
    },
    sid,
};

/// Which user.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub(in super::super) struct DeleteRequest {
    /// The user's id.
    #[schema(value_type = String, example = "465874fd-28a6-4f0d-bc53-43df50552fe2")]
    sid: Scalar,
}

/// Removes a user, their access tokens and their enrollment links. Their devices stay under management, and belong to
/// nobody from then on.
#[utoipa::path(
    post,
    path = "/api/mdm/v2/user/delete",
    request_body = inline(CallRequest<DeleteRequest>),
    responses((status = 200, description = "The user is gone", body = inline(Envelope<Nothing>)), Refusals),
)]
pub(in super::super) async fn delete(
    State(mdm): State<Arc<Mdm>>,
    call: Call<DeleteRequest>,
) -> Result<Envelope<Nothing>, Failure> {
    let id = sid(call.body.sid)?.ok_or(Failure::invalid("sid", Expected::Text))?;
    mdm.delete_user(&call.actor, id).await?;
    Ok(Envelope::success(Nothing {}))
}
