//! Who calls: an API key, and the tenant that is meant.

use axum::extract::{FromRequestParts, Query};
use domain::{Actor, Error, TenantId};
use http::request::Parts;
use serde::Deserialize;

use super::error::{Failure, Kind};
use crate::{api_state::ApiState, credentials, identifiers, peer::Origin};

/// The caller, authenticated, in one tenant: that of `?tenant=`, or the only one of the key.
pub(super) struct Caller(pub(super) Actor);

#[derive(Deserialize)]
struct Meant {
    tenant: Option<String>,
}

impl FromRequestParts<ApiState> for Caller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Failure> {
        let shown = ["Bearer", "Api-Key"]
            .into_iter()
            .find_map(|scheme| credentials::authorization(&parts.headers, scheme));
        let key = shown.ok_or(Failure::new(Kind::Unauthenticated))?;
        let actor = state.mdm.actor_for_api_key(key, tenant(parts)?).await;
        match actor {
            Err(Error::Unauthenticated) => Err(wrong(state, state.trust.origin(parts))),
            judged => Ok(Self(judged?)),
        }
    }
}

/// Counts a wrong key for its address; one too many is told to wait. Right ones are always heard: 256 random bits are not
/// guessed, and one program with an old key must not shut out its neighbours.
fn wrong(state: &ApiState, origin: Origin) -> Failure {
    let now = state.mdm.now();
    if let Some(wait) = state.throttle.wait(origin, now) {
        return Failure::blocked(wait);
    }
    state.throttle.count(origin, now);
    tracing::info!(%origin, "a call with a wrong API key");
    Failure::new(Kind::Unauthenticated)
}

fn tenant(parts: &Parts) -> Result<Option<TenantId>, Failure> {
    let wrong = || Failure::invalid("tenant", "a tenant's id");
    let Query(Meant { tenant }) = Query::try_from_uri(&parts.uri).map_err(|_| wrong())?;
    let id = tenant.map(|text| identifiers::uuid(&text).ok_or_else(wrong)).transpose()?;
    Ok(id.map(TenantId))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meant(uri: &str) -> Result<Option<TenantId>, Failure> {
        let (parts, ()) = http::Request::builder().uri(uri).body(()).unwrap().into_parts();
        tenant(&parts)
    }

    #[test]
    fn a_tenant_may_be_named_once_and_by_its_id() {
        let id = "0192f3a1-c0de-7000-8000-000000000001";
        assert_eq!(meant(&format!("/?state=done&tenant={id}")).unwrap(), Some(id.parse().unwrap()));
        assert_eq!(meant("/?state=done").unwrap(), None);
        for wrong in ["/?tenant=", "/?tenant=acme", &format!("/?tenant={id}&tenant={id}")] {
            assert!(meant(wrong).is_err(), "{wrong}");
        }
    }
}
