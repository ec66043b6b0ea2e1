//! Certificates, signatures and SCEP: bytes in, types out. No I/O, no clock, nothing asynchronous.
//!
//! Read [`certificate`] first, then [`cms`] (who signed this?) and [`chain`] (may we believe it?): together
//! they say who a device is. [`authority`] and [`scep`] give devices their certificates, [`server_tls`] gives
//! the server its own, [`push_certificate`] is what Apple gives us, and [`keyring`] seals secrets at rest.
//!
//! ASN.1 is read and written by hand (about two hundred lines in `asn1`), because signatures cover bytes as
//! they were sent: types that decode and encode again lose them. All cryptography is aws-lc's. Everything
//! read here may be hostile: it is bounded in depth and size, never panics, and allocates no more than a
//! small multiple of what was sent.

mod asn1;
pub mod authority;
pub mod ber;
pub mod certificate;
pub mod chain;
pub mod cms;
pub mod csr;
mod error;
mod extensions;
#[cfg(test)]
mod fixtures;
mod hash;
pub mod keyring;
pub mod keys;
pub mod name;
mod oid;
mod pem;
mod public_key;
pub mod push_certificate;
pub mod random;
pub mod scep;
pub mod server_tls;
mod template;

pub use asn1::ObjectIdentifier;
pub use authority::{Authority, Identity};
pub use certificate::{Certificate, Fingerprint};
pub use chain::{Issued, Verdict, judge};
pub use csr::Csr;
pub use error::{Error, Result};
pub use hash::{Hash, sha256};
pub use keyring::KeyRing;
pub use keys::{PrivateKey, Signer};
pub use name::Name;
pub use push_certificate::PushCertificate;
pub use server_tls::TlsAuthority;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_long_lived_is_shared_between_threads() {
        fn shared<T: Send + Sync>() {}
        shared::<(Authority, TlsAuthority, PushCertificate, PrivateKey, KeyRing, Certificate, Csr)>();
    }
}
