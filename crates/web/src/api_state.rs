//! What the handlers of the API listener share.

use std::{sync::Arc, time::Duration};

use axum::extract::FromRef;
use domain::Mdm;

use crate::{limits::BodyBudget, peer::ProxyTrust, throttle::Throttle};

/// How long a call may take in all, its body included; then it is answered 503.
pub(crate) const CALL_TIMEOUT: Duration = Duration::from_secs(90);

#[derive(Clone)]
pub(crate) struct ApiState {
    pub(crate) mdm: Arc<Mdm>,
    /// The memory for all request bodies in flight, whichever face reads them.
    pub(crate) bodies: Arc<BodyBudget>,
    /// Whose word about a caller's address is believed.
    pub(crate) trust: Arc<ProxyTrust>,
    /// Who sent wrong secrets lately.
    pub(crate) throttle: Arc<Throttle>,
}

impl FromRef<ApiState> for Arc<Mdm> {
    fn from_ref(state: &ApiState) -> Self {
        Self::clone(&state.mdm)
    }
}
