//! `POST …/devices/{clientid}/secrets/{secret}/reveal`: looks at a secret that is kept of a device.

use axum::{
    Json,
    extract::{Path, State, rejection::PathRejection},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use domain::{DeviceSecret, Revealed, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    caller::Caller,
    documents::Refusals,
    error::{Failure, Kind},
};
use crate::api_state::ApiState;

/// A secret, and how sure it is that the device has it.
#[derive(Serialize, ToSchema)]
#[schema(as = Secret)]
pub(super) struct SecretObject {
    /// The secret: PINs, passwords and codes as they are, tokens and keys in base64. Empty where a password was taken away.
    value: String,
    /// `text` or `base64`.
    #[schema(example = "text")]
    encoding: &'static str,
    /// `confirmed`: the device has it; `unanswered`: it was sent it; `waiting`: it will be; `refused`: it says that it did not
    /// take it; `taken_back`: it never left.
    #[schema(example = "confirmed")]
    state: &'static str,
    /// The enrollment in which it was kept.
    enrollment: String,
    /// Whether that is the enrollment that the device now has, or had last.
    current: bool,
    /// Since when it is kept; null for old tokens.
    #[schema(required)]
    kept_at: Option<String>,
    /// The command that sets it, or in whose answer it came.
    #[schema(required)]
    command: Option<String>,
}

/// The secret that the device most likely has, and others that it may be.
#[derive(Serialize, ToSchema)]
pub(super) struct RevealedSecrets {
    /// Its kind.
    #[schema(example = "lock-pin")]
    secret: &'static str,
    #[serde(flatten)]
    best: SecretObject,
    /// Newer ones that nobody confirmed, and those of earlier enrollments where this one has none that is confirmed.
    others: Vec<SecretObject>,
}

/// Looks at a secret that is kept of a device. Takes an operator, and leaves an audit event.
#[utoipa::path(
    post,
    path = "/api/admin/v1/devices/{clientid}/secrets/{secret}/reveal",
    params(
        ("clientid" = String, Path, description = "Client id, `udid:…` or `serial:…`"),
        ("secret" = String, Path, description = "`unlock-token`, `bootstrap-token`, `lock-pin`, `erase-pin`, \
            `recovery-lock-password`, `firmware-password`, `activation-lock-bypass-code` or `filevault-recovery-key`"),
        ("tenant" = Option<String>, Query, description = "Needed where the key has several tenants"),
    ),
    responses((status = 200, description = "The secret", body = RevealedSecrets), Refusals),
)]
pub(super) async fn reveal(
    State(state): State<ApiState>,
    Caller(actor): Caller,
    names: Result<Path<(String, String)>, PathRejection>,
) -> Result<Json<RevealedSecrets>, Failure> {
    let Path((device, secret)) = names.map_err(|_| Failure::new(Kind::NotFound))?;
    let secret = DeviceSecret::named(&secret).ok_or(Failure::new(Kind::NotFound))?;
    let device = state.mdm.device_called(&actor, &device).await?;
    let revealed = state.mdm.reveal(&actor, device, secret).await?;
    let others = revealed.others.iter().map(SecretObject::from).collect();
    Ok(Json(RevealedSecrets { secret: secret.name(), best: SecretObject::from(&revealed), others }))
}

impl From<&Revealed> for SecretObject {
    fn from(found: &Revealed) -> Self {
        let text = std::str::from_utf8(&found.value).ok().filter(|_| found.secret.is_text());
        Self {
            value: text.map_or_else(|| STANDARD.encode(&found.value), str::to_owned),
            encoding: if text.is_some() { "text" } else { "base64" },
            state: found.standing.name(),
            enrollment: found.enrollment.to_string(),
            current: found.is_current,
            kept_at: found.kept_at.map(Timestamp::rfc3339),
            command: found.command.map(|id| id.to_string()),
        }
    }
}
