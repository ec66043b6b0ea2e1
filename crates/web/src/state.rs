//! What the handlers of the device listener share.

use std::sync::Arc;

use domain::Mdm;
use http::HeaderName;
use ipnet::IpNet;

use crate::HttpMetrics;
use crate::limits::{BodyBudget, Gate};
use crate::mdm::Intake;
use crate::peer::ProxyTrust;

/// How many SCEP requests and profiles, which cost an RSA signature each, are worked on at once.
const SIGNERS: usize = 4;

/// How many more may wait for that.
const SIGNERS_WAITING: usize = 256;

/// The bytes of all bodies in flight.
const BODY_BUDGET: usize = 256 << 20;

/// Settings of the device listener.
#[derive(Clone, Default)]
pub struct DeviceSettings {
    /// Whose forwarded address and certificate header are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// The header in which they hand on a client's certificate: RFC 9440's `:base64:`, or URL-escaped PEM.
    pub client_cert_header: Option<HeaderName>,
    /// Where requests are counted.
    pub metrics: HttpMetrics,
}

pub(crate) struct DeviceState {
    pub(crate) mdm: Arc<Mdm>,
    pub(crate) trust: ProxyTrust,
    pub(crate) intake: Intake,
    pub(crate) signing: Gate,
}

impl DeviceState {
    pub(crate) fn new(mdm: Arc<Mdm>, settings: DeviceSettings) -> Self {
        let trust = ProxyTrust::new(settings.trusted_proxies);
        Self {
            mdm,
            intake: Intake {
                trust: trust.clone(),
                client_cert_header: settings.client_cert_header,
                bodies: BodyBudget::new(BODY_BUDGET),
            },
            trust,
            signing: Gate::new(SIGNERS, SIGNERS_WAITING),
        }
    }
}
