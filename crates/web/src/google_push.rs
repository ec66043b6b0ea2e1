//! Notifications of Android devices, as Google's Pub/Sub posts them.
//!
//! Everyone but Google, for this very tenant, is a stranger: told so before the body is read, and before the database
//! is asked. What is answered 204 is durable; anything else makes Google send it again, later and later, for a week.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, Request, State, rejection::PathRejection};
use axum::response::{IntoResponse, Response};
use domain::{PushRefusal, TenantId};
use http::{StatusCode, header::AUTHORIZATION, request::Parts};

use crate::failure::Failure;
use crate::limits::REPORT_BODY;
use crate::state::DeviceState;

/// The longest body, in bytes. Pub/Sub carries 10 MB, which are 13.4 of base64; the rest is for attributes.
const LONGEST: usize = REPORT_BODY;

/// `POST /android/notifications/{tenant}`.
pub(crate) async fn serve(
    State(state): State<Arc<DeviceState>>,
    tenant: Result<Path<TenantId>, PathRejection>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let origin = state.trust.origin(&parts);
    match taken(&state, tenant.ok().map(|Path(tenant)| tenant), &parts, body).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(failure) => failure.answer(origin),
    }
}

async fn taken(
    state: &DeviceState,
    tenant: Option<TenantId>,
    parts: &Parts,
    body: Body,
) -> Result<(), Failure> {
    let tenant = tenant.ok_or(Failure::NotGoogle("the path names no tenant".to_owned()))?;
    let authorization = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let pusher = state.mdm.android_pusher(tenant, authorization.unwrap_or_default()).await?;
    let body = state.intake.bodies.read(body, LONGEST).await?;
    Ok(state.mdm.take_android_push(&pusher, body.bytes()).await?)
}

impl From<PushRefusal> for Failure {
    fn from(refusal: PushRefusal) -> Self {
        let why = refusal.to_string();
        match refusal {
            PushRefusal::Stranger(_) => Self::NotGoogle(why),
            PushRefusal::Malformed(_) => Self::NoPush(why),
            PushRefusal::Failed(error) => Self::Failed(error),
        }
    }
}
