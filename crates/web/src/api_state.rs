//! What the handlers of the API listener share.

use std::{sync::Arc, time::Duration};

use axum::extract::FromRef;
use domain::Mdm;

use crate::{
    limits::{BodyBudget, Gate},
    peer::ProxyTrust,
    throttle::Throttle,
};

/// How long a call may take in all, its body included; then it is answered 503.
pub(crate) const CALL_TIMEOUT: Duration = Duration::from_secs(90);

/// How many logins are worked on at once, and how many wait behind them.
const LOGINS: (usize, usize) = (2, 128);

/// The same of profiles.
const PROFILES: (usize, usize) = (2, 64);

#[derive(Clone)]
pub(crate) struct ApiState {
    pub(crate) mdm: Arc<Mdm>,
    /// The memory for all request bodies in flight, whichever face reads them.
    pub(crate) bodies: Arc<BodyBudget>,
    /// Whose word about a caller's address is believed.
    pub(crate) trust: Arc<ProxyTrust>,
    /// Where logins queue: each hashes a password.
    pub(crate) logins: Arc<Gate>,
    /// Where profiles queue: each costs an RSA signature.
    pub(crate) signing: Arc<Gate>,
    /// Who sent wrong secrets lately.
    pub(crate) throttle: Arc<Throttle>,
}

impl ApiState {
    /// A state in which nothing has happened yet.
    pub(crate) fn new(mdm: Arc<Mdm>, body_budget: usize, trust: ProxyTrust) -> Self {
        Self {
            mdm,
            bodies: Arc::new(BodyBudget::new(body_budget)),
            trust: Arc::new(trust),
            logins: Arc::new(Gate::new(LOGINS.0, LOGINS.1)),
            signing: Arc::new(Gate::new(PROFILES.0, PROFILES.1)),
            throttle: Arc::default(),
        }
    }
}

impl FromRef<ApiState> for Arc<Mdm> {
    fn from_ref(state: &ApiState) -> Self {
        Self::clone(&state.mdm)
    }
}
