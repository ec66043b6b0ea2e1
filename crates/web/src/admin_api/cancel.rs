//! `POST …/commands/{uuid}/cancel`: takes a command back that its device does not have.

use axum::{
    Json,
    extract::{Path, State, rejection::PathRejection},
};

use super::{
    caller::Caller, command_object::CommandObject, documents::Refusals, error::Failure, show::command_id,
};
use crate::api_state::ApiState;

/// Takes a command back. One that its device has, or that is over, is a conflict.
#[utoipa::path(
    post,
    path = "/api/admin/v1/commands/{uuid}/cancel",
    params(
        ("uuid" = String, Path, description = "The command's id"),
        ("tenant" = Option<String>, Query, description = "Needed where the key has several tenants"),
    ),
    responses((status = 200, description = "The command, cancelled", body = CommandObject), Refusals),
)]
pub(super) async fn cancel(
    State(state): State<ApiState>,
    Caller(actor): Caller,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<CommandObject>, Failure> {
    let cancelled = state.mdm.cancel_command(&actor, command_id(id)?).await?;
    Ok(Json(cancelled.into()))
}
