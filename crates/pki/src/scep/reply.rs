//! Answers a request, in the algorithms that its sender knows or better ones.

use std::time::SystemTime;

use super::{FailInfo, Request, Transaction, message_type, pki_status};
use crate::asn1::write;
use crate::authority::Authority;
use crate::certificate::Certificate;
use crate::cms::{self, Attribute, Signing, envelope};
use crate::{Hash, Result, oid};

/// Answers with a certificate, sealed for the request's signer with the cipher that the request came in.
///
/// `nonce` is ours, fresh for each answer.
///
/// # Errors
/// [`crate::Error::Unsupported`] where the signer's key is RSA of less than 2048 bits.
pub fn reply_success(
    request: &Request,
    issued: &Certificate,
    authority: &Authority,
    now: SystemTime,
    nonce: [u8; 16],
) -> Result<Vec<u8>> {
    let certificates = cms::certificates_only(std::slice::from_ref(issued));
    let sealed = envelope::seal(&certificates, &request.signer, request.cipher)?;
    let attributes = attributes(&request.transaction, pki_status::SUCCESS, nonce);
    sign(&request.transaction, &sealed, attributes, authority, now)
}

/// Answers that there will be no certificate. Requests that are rejected for what is secret in them all get
/// [`FailInfo::REJECTED`].
///
/// # Errors
/// [`crate::Error::Crypto`] where the library fails.
pub fn reply_failure(
    transaction: &Transaction,
    reason: FailInfo,
    authority: &Authority,
    now: SystemTime,
    nonce: [u8; 16],
) -> Result<Vec<u8>> {
    let mut attributes = attributes(transaction, pki_status::FAILURE, nonce);
    attributes.push(Attribute::printable(oid::SCEP_FAIL_INFO, reason.code()));
    // Attached but empty: some clients take a message without content for a detached signature.
    sign(transaction, &[], attributes, authority, now)
}

fn attributes(transaction: &Transaction, status: &str, nonce: [u8; 16]) -> Vec<Attribute> {
    let id = write::element(transaction.id_tag, transaction.id.as_bytes());
    vec![
        Attribute::printable(oid::SCEP_MESSAGE_TYPE, &message_type::CERT_REP.to_string()),
        Attribute::printable(oid::SCEP_PKI_STATUS, status),
        Attribute::new(oid::SCEP_TRANSACTION_ID, id),
        Attribute::octets(oid::SCEP_SENDER_NONCE, &nonce),
        Attribute::octets(oid::SCEP_RECIPIENT_NONCE, &transaction.sender_nonce),
    ]
}

fn sign(
    transaction: &Transaction,
    content: &[u8],
    attributes: Vec<Attribute>,
    authority: &Authority,
    now: SystemTime,
) -> Result<Vec<u8>> {
    // Nobody signs with SHA-1 any more; who sends it can read SHA-256.
    let hash = transaction.hash.max(Hash::Sha256);
    Signing::new(authority.certificate(), authority.key())
        .with_hash(hash)
        .at(now)
        .with_attributes(attributes)
        .attached(content)
}
