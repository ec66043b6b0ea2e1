//! The certificate that is shown, which may be replaced while the server runs.

use std::sync::{Arc, PoisonError, RwLock};

use rustls::{
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

/// The certificate that is shown now.
#[derive(Debug)]
pub struct Shown {
    certified: RwLock<Arc<CertifiedKey>>,
}

impl Shown {
    /// Shows `certified`.
    pub fn new(certified: CertifiedKey) -> Self {
        Self { certified: RwLock::new(Arc::new(certified)) }
    }

    /// Shows another one from the next handshake on; whether it is another one.
    pub fn replace(&self, certified: CertifiedKey) -> bool {
        let is_other = self.now().cert != certified.cert;
        if is_other {
            *self.certified.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(certified);
        }
        is_other
    }

    /// The leaf that is shown, DER.
    pub fn leaf(&self) -> Vec<u8> {
        self.now().cert.first().map(|leaf| leaf.to_vec()).unwrap_or_default()
    }

    fn now(&self) -> Arc<CertifiedKey> {
        self.certified.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _client_hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.now())
    }
}
