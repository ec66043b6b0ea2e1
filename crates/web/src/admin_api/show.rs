//! `GET …/commands/{uuid}`: one command, and what its device said of it.

use axum::{
    Json,
    extract::{Path, State, rejection::PathRejection},
};
use domain::CommandId;

use super::{
    caller::Caller,
    command_object::CommandResult,
    documents::Refusals,
    error::{Failure, Kind},
};
use crate::{api_state::ApiState, identifiers};

/// One command, with the answer of its device.
#[utoipa::path(
    get,
    path = "/api/admin/v1/commands/{uuid}",
    params(
        ("uuid" = String, Path, description = "The command's id"),
        ("tenant" = Option<String>, Query, description = "Needed where the key has several tenants"),
    ),
    responses((status = 200, description = "The command", body = CommandResult), Refusals),
)]
pub(super) async fn show(
    State(state): State<ApiState>,
    Caller(actor): Caller,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<CommandResult>, Failure> {
    let details = state.mdm.command(&actor, command_id(id)?).await?;
    Ok(Json(details.into()))
}

/// What is no id names nothing.
pub(super) fn command_id(path: Result<Path<String>, PathRejection>) -> Result<CommandId, Failure> {
    let id = path.ok().and_then(|Path(text)| identifiers::uuid(&text));
    id.map(CommandId).ok_or(Failure::new(Kind::NotFound))
}
