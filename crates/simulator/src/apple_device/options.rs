//! How a pretend device is to enroll.

use std::sync::Arc;
use std::time::Duration;

use pki::cms::envelope::Cipher;
use pki::{Certificate, Hash};

use super::event::Listener;
use super::identity::Identity;
use super::keys::KeyPool;
use super::model::DeviceModel;
use super::push::PushAddress;
use super::transport::{Clock, Transport};

/// Everything that an enrollment needs to know; [`EnrollOptions::new`] has what most want.
#[derive(Clone)]
pub struct EnrollOptions {
    /// The enrollment link, as a person would open it.
    pub enroll_url: String,
    /// Which device it is.
    pub model: DeviceModel,
    /// What is trusted.
    pub trust: Trust,
    /// How it will prove who it is.
    pub identity: Identity,
    /// Its connections and its clock.
    pub transport: Transport,
    /// Where its key comes from.
    pub keys: KeyPool,
    /// How it speaks SCEP.
    pub scep: ScepOptions,
    /// What it says when a profile renews its identity.
    pub renewal: RenewalManners,
    /// Is told of everything from the beginning.
    pub listener: Option<Listener>,
    /// Gives out push addresses: is told each one before the server is, as APNs knows every token that it
    /// issued.
    pub push_service: Option<PushService>,
}

/// Is told the addresses at which devices can be pushed to.
pub type PushService = Arc<dyn Fn(&PushAddress) + Send + Sync>;

/// Which servers and which signers of profiles a device believes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Nobody at first: the profile is fetched as by a user who clicks a warning away. Then its root is all
    /// there is: it must answer for the profile's signer and for the server that it came from.
    ProfileRoot,
    /// These roots (and the one that the profile carries, once it is installed).
    Roots(Vec<Certificate>),
    /// Plain HTTP to this very machine. The profile must be signed all the same; by whom matters only if it
    /// carries a root.
    LoopbackHttp,
}

/// How a device speaks SCEP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScepOptions {
    /// `PKIOperation` by GET, even if the server offers POST.
    pub by_get: bool,
    /// Encrypts with this, whatever the server offers; else with AES if it is offered.
    pub cipher: Option<Cipher>,
    /// Signs with this, whatever the server offers; else with SHA-256. RSA keys cannot sign with SHA-1 here.
    pub digest: Option<Hash>,
    /// The first answer to `PKIOperation` never arrives, and the same request is sent again.
    pub lose_answer: bool,
    /// For how long a request that gets no answer, or a 5xx, is sent again just as it is; zero: it is not.
    pub patience: Duration,
}

/// What a device says when `InstallProfile` brings its own enrollment profile again. Real ones differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RenewalManners {
    /// `Authenticate` and `TokenUpdate`, with the new certificate.
    #[default]
    CheckIn,
    /// Nothing: the report is the first that the server sees of the new certificate.
    Quiet,
}

impl EnrollOptions {
    /// Trusts what the profile carries (on plain HTTP to this machine: [`Trust::LoopbackHttp`]), signs its
    /// messages with SHA-256 and makes its own key.
    pub fn new(enroll_url: impl Into<String>, model: DeviceModel, clock: Clock) -> EnrollOptions {
        let enroll_url = enroll_url.into();
        let encrypted = !enroll_url.starts_with("http://");
        EnrollOptions {
            trust: if encrypted { Trust::ProfileRoot } else { Trust::LoopbackHttp },
            enroll_url,
            model,
            identity: Identity::Signature(Hash::Sha256),
            transport: Transport::new(clock),
            keys: KeyPool::fresh(),
            scep: ScepOptions::default(),
            renewal: RenewalManners::default(),
            listener: None,
            push_service: None,
        }
    }

    /// Proves who it is by this way.
    #[must_use]
    pub fn identity(self, identity: Identity) -> EnrollOptions {
        EnrollOptions { identity, ..self }
    }

    /// Trusts this.
    #[must_use]
    pub fn trust(self, trust: Trust) -> EnrollOptions {
        EnrollOptions { trust, ..self }
    }

    /// Takes its keys from there.
    #[must_use]
    pub fn keys(self, keys: KeyPool) -> EnrollOptions {
        EnrollOptions { keys, ..self }
    }

    /// Speaks SCEP so.
    #[must_use]
    pub fn scep(self, scep: ScepOptions) -> EnrollOptions {
        EnrollOptions { scep, ..self }
    }

    /// Gets its push addresses from `push_service`.
    #[must_use]
    pub fn push_service(self, push_service: PushService) -> EnrollOptions {
        EnrollOptions { push_service: Some(push_service), ..self }
    }

    /// Tells everything to `listener`.
    #[must_use]
    pub fn listener(self, listener: Listener) -> EnrollOptions {
        EnrollOptions { listener: Some(listener), ..self }
    }
}
