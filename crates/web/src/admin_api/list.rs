//! `GET …/commands`: what was asked, the newest first.

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
};
use domain::{COMMANDS_LIMIT, CommandFilter, CommandId, CommandState};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{caller::Caller, command_object::CommandObject, documents::Refusals, error::Failure};
use crate::{api_state::ApiState, identifiers};

/// Which commands.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// Of this device: its client id, `udid:…` or `serial:…`
    device: Option<String>,
    /// In this state: `queued`, `handed_over`, `not_now`, `done`, `failed`, `expired` or `cancelled`
    state: Option<String>,
    /// Only those older than this one: `next` of the page before
    before: Option<String>,
    /// How many at most: 1 to 1000 [default: 100]
    limit: Option<u32>,
    /// Needed where the key has several tenants
    #[expect(dead_code, reason = "documents what the caller's extractor reads")]
    tenant: Option<String>,
}

/// One page of commands.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CommandPage {
    /// The newest first.
    commands: Vec<CommandObject>,
    /// What `before` is to be for the next page; null on the last one.
    #[schema(required)]
    next: Option<String>,
}

/// What was asked of devices, the newest first.
#[utoipa::path(
    get,
    path = "/api/admin/v1/commands",
    params(ListQuery),
    responses((status = 200, description = "One page", body = CommandPage), Refusals),
)]
pub(super) async fn list(
    State(state): State<ApiState>,
    Caller(actor): Caller,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Json<CommandPage>, Failure> {
    let Query(query) = query.map_err(|_| Failure::invalid("query", "each parameter once, limit a number"))?;
    let device = match &query.device {
        Some(name) => Some(state.mdm.device_called(&actor, name).await?),
        None => None,
    };
    let (filter, limit) = (CommandFilter { device, state: query.state()? }, query.limit()?);
    let commands = state.mdm.commands(&actor, &filter, query.before()?, limit).await?;
    let is_full = commands.len() == limit as usize;
    let next = commands.last().filter(|_| is_full).map(|last| last.id.to_string());
    Ok(Json(CommandPage { commands: commands.into_iter().map(CommandObject::from).collect(), next }))
}

impl ListQuery {
    fn state(&self) -> Result<Option<CommandState>, Failure> {
        let Some(name) = &self.state else { return Ok(None) };
        let names = CommandState::ALL.map(CommandState::name).join(", ");
        CommandState::named(name)
            .map(Some)
            .ok_or_else(|| Failure::invalid("state", format!("one of {names}")))
    }

    fn before(&self) -> Result<Option<CommandId>, Failure> {
        let Some(text) = &self.before else { return Ok(None) };
        let id = identifiers::uuid(text).ok_or_else(|| Failure::invalid("before", "a command's id"))?;
        Ok(Some(CommandId(id)))
    }

    fn limit(&self) -> Result<u32, Failure> {
        let limit = self.limit.unwrap_or(100);
        let fits = (1..=COMMANDS_LIMIT).contains(&limit);
        if fits { Ok(limit) } else { Err(Failure::invalid("limit", format!("1 to {COMMANDS_LIMIT}"))) }
    }
}
