//! `GET …/devices/{clientid}/diagnosis`: why a device is stuck.

use axum::{
    Json,
    extract::{Path, State, rejection::PathRejection},
};
use domain::{ChannelState, Diagnosis, PushState, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    caller::Caller,
    command_object::CommandObject,
    documents::Refusals,
    error::{Failure, Kind},
};
use crate::api_state::ApiState;

/// How a device stands, and what to do.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Diagnosis)]
pub(super) struct DiagnosisObject {
    /// Its client id.
    device: String,
    /// Whether it obeys the server.
    managed: bool,
    /// When it last spoke to the server.
    #[schema(required)]
    last_seen: Option<String>,
    /// How its own channel stands with APNs; null where it never told how to wake it.
    #[schema(required)]
    push: Option<PushObject>,
    /// Its users, each with a channel that is woken for itself.
    users: Vec<UserObject>,
    /// What waits, in the order in which it will go.
    waiting: Vec<WaitingCommand>,
    /// Until when its identity is good.
    #[schema(required)]
    certificate_expires: Option<String>,
    /// Until when the tenant's push certificate is good.
    #[schema(required)]
    push_certificate_expires: Option<String>,
    /// What to do, the most urgent first; empty where nothing is wrong.
    advice: Vec<String>,
}

/// A user of a device.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UserChannel)]
pub(super) struct UserObject {
    /// `channel` of the user's commands.
    channel: String,
    /// The short name, where the device told it.
    #[schema(required)]
    name: Option<String>,
    /// How the channel stands with APNs.
    push: PushObject,
}

/// How a channel stands with APNs.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PushState)]
pub(super) struct PushObject {
    /// Whether there is a token that APNs has not called dead.
    token: bool,
    /// When the device last told its token.
    told_at: String,
    /// When it was last pushed to.
    #[schema(required)]
    last_push: Option<String>,
    /// What APNs said: `accepted`, or the reason.
    #[schema(required, example = "accepted")]
    said: Option<String>,
    /// When the next push is due.
    #[schema(required)]
    next_push: Option<String>,
    /// How often that was tried in vain.
    tries: u32,
}

/// A command that waits.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct WaitingCommand {
    #[serde(flatten)]
    command: CommandObject,
    /// Why it waits.
    why: String,
}

/// Why a device is stuck, and what to do about it.
#[utoipa::path(
    get,
    path = "/api/admin/v1/devices/{clientid}/diagnosis",
    params(
        ("clientid" = String, Path, description = "Client id, `udid:…` or `serial:…`"),
        ("tenant" = Option<String>, Query, description = "Needed where the key has several tenants"),
    ),
    responses((status = 200, description = "How it stands", body = DiagnosisObject), Refusals),
)]
pub(super) async fn diagnosis(
    State(state): State<ApiState>,
    Caller(actor): Caller,
    name: Result<Path<String>, PathRejection>,
) -> Result<Json<DiagnosisObject>, Failure> {
    let Path(name) = name.map_err(|_| Failure::new(Kind::NotFound))?;
    let device = state.mdm.device_called(&actor, &name).await?;
    Ok(Json(state.mdm.diagnose(&actor, device).await?.into()))
}

impl From<Diagnosis> for DiagnosisObject {
    fn from(found: Diagnosis) -> Self {
        let waiting = |(command, why)| WaitingCommand { command: CommandObject::from(command), why };
        Self {
            device: found.device.id.client_id(),
            managed: found.device.managed,
            last_seen: found.device.last_contact.map(Timestamp::rfc3339),
            push: found.push.map(PushObject::from),
            users: found.users.into_iter().map(UserObject::from).collect(),
            waiting: found.waiting.into_iter().map(waiting).collect(),
            certificate_expires: found.certificate_ends.map(Timestamp::rfc3339),
            push_certificate_expires: found.push_certificate_ends.map(Timestamp::rfc3339),
            advice: found.advice,
        }
    }
}

impl From<ChannelState> for UserObject {
    fn from(state: ChannelState) -> Self {
        Self { channel: state.key.0, name: state.user_name, push: state.push.into() }
    }
}

impl From<PushState> for PushObject {
    fn from(state: PushState) -> Self {
        let (last_push, said) = state.last.map(|(at, said)| (at.rfc3339(), said)).unzip();
        Self {
            token: state.has_token,
            told_at: state.told_at.rfc3339(),
            last_push,
            said,
            next_push: state.due.map(|(due, _)| due.rfc3339()),
            tries: state.due.map_or(0, |(_, tries)| tries),
        }
    }
}
