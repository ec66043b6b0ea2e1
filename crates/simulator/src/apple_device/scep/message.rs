//! One `PKIOperation`: sealed for the CA, and its answer opened.

use pki::scep::Kind;
use pki::scep::client::{self, ClientOptions, Exchange};
use pki::{Certificate, Csr, PrivateKey};

use super::{Asker, impossible};
use crate::apple_device::failure::{Breach, Failure};
use crate::apple_device::transport::Clock;

/// One `PKIOperation`, with a nonce of its own.
pub(super) struct Message<'a> {
    ca: &'a Certificate,
    kind: Kind,
    signer: Certificate,
    /// The signer's key, where it is not the one that the request is about.
    signer_key: Option<&'a PrivateKey>,
    transaction_id: String,
    nonce: [u8; 16],
}

impl<'a> Message<'a> {
    pub(super) fn new(
        ca: &'a Certificate,
        csr: &Csr,
        key: &PrivateKey,
        asker: &Asker<'a>,
        clock: &Clock,
    ) -> Result<Message<'a>, Failure> {
        let (kind, signer, signer_key) = match asker {
            Asker::Newcomer(name) => {
                (Kind::PkcsReq, client::self_signed(key, name, clock()).map_err(impossible)?, None)
            }
            Asker::Owner(owner) => (Kind::RenewalReq, owner.certificate.clone(), Some(owner.key.as_ref())),
        };
        // A request that is sent again is the same transaction.
        let transaction_id = pki::sha256(csr.spki()).iter().map(|byte| format!("{byte:02X}")).collect();
        Ok(Message {
            ca,
            kind,
            signer,
            signer_key,
            transaction_id,
            nonce: pki::random::bytes().map_err(impossible)?,
        })
    }

    pub(super) fn sealed(
        &self,
        csr: &Csr,
        key: &PrivateKey,
        options: ClientOptions,
    ) -> Result<Vec<u8>, Failure> {
        let sealed = self.exchange().request(self.kind, csr, self.signer_key.unwrap_or(key), options);
        sealed.map_err(|error| Breach(format!("no message can be sealed for this CA: {error}")).into())
    }

    pub(super) fn open(&self, answer: &[u8], csr: &Csr, key: &PrivateKey) -> Result<Certificate, Failure> {
        let opened = self.exchange().open_reply(answer, csr, self.signer_key.unwrap_or(key));
        opened.map_err(|failure| match failure {
            client::Failure::Invalid(error) => {
                Breach(format!("the answer is not acceptable: {error}")).into()
            }
            refusal => Failure::CertificateRefused(refusal.to_string()),
        })
    }

    fn exchange(&self) -> Exchange<'_> {
        let Message { ca, signer, transaction_id, nonce, .. } = self;
        Exchange { ca, signer, transaction_id, nonce: *nonce }
    }
}
