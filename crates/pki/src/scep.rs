//! SCEP (RFC 8894): how a device gets its identity certificate.
//!
//! Read [`open`] first: it turns a `PKIOperation` into a [`Request`] or says why not. The caller judges the
//! challenge password (or, for a renewal, the signer), issues, and answers with [`reply_success`] or
//! [`reply_failure`]. The other side of the wire, for pretend devices, is [`client`].

pub mod client;
mod reply;
mod request;

use crate::asn1::ObjectIdentifier;
use crate::certificate::Certificate;
use crate::cms::Attributes;
use crate::cms::envelope::Cipher;
use crate::csr::Csr;
use crate::{Error, Hash, Result};

pub use reply::{reply_failure, reply_success};
pub use request::open;

/// The longest transaction id that is answered, in characters.
pub const MAX_TRANSACTION_ID: usize = 255;

/// The longest nonce that is answered; RFC 8894 has 16 bytes.
pub const MAX_NONCE: usize = 64;

/// What a client wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A first certificate; signed with the very key that it asks for.
    PkcsReq,
    /// A new certificate for the owner of an old one; signed with the old one's key.
    RenewalReq,
}

/// A request that could be opened. Its sender holds the signer's key and the key that it asks a certificate
/// for; whether it may have one is the caller's to decide.
#[derive(Debug, Clone)]
pub struct Request {
    /// What is asked for.
    pub kind: Kind,
    /// Where the answer belongs.
    pub transaction: Transaction,
    /// Who signed, with a key that an answer can be sealed for. For a [`Kind::PkcsReq`] it holds the key of
    /// `csr`, and is nobody yet; for a [`Kind::RenewalReq`] it must be judged.
    pub signer: Certificate,
    /// The certificate request with its challenge password.
    pub csr: Csr,
    /// How the request was encrypted; the answer will be too.
    pub cipher: Cipher,
}

/// Where an answer belongs: what the client wants to see again in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// At most [`MAX_TRANSACTION_ID`] printable ASCII characters.
    pub id: String,
    /// The string type that the client wrote the id in, and gets back.
    id_tag: u8,
    /// The client's nonce, which the answer returns as its `recipientNonce`.
    pub sender_nonce: Vec<u8>,
    hash: Hash,
}

/// Why a message is not served.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No signed SCEP message: there is nobody to answer in SCEP's terms. HTTP 400 says it.
    #[error("not a SCEP message: {0}")]
    BadRequest(Error),
    /// A message that we do not serve, such as `GetCert`, `GetCRL` or `CertPoll`.
    #[error("SCEP message type {message_type} is not served")]
    Unsupported {
        /// Where to answer.
        transaction: Transaction,
        /// The number that RFC 8894, 3.2.1.2 gives to the type.
        message_type: u8,
    },
    /// A request that cannot be opened. The reason is for the log: the client must not learn it.
    #[error("the SCEP request cannot be opened: {reason}")]
    Unreadable {
        /// Where to answer.
        transaction: Transaction,
        /// What went wrong.
        reason: Error,
    },
}

impl Refusal {
    /// Where and with what to answer; `None` where only HTTP can.
    pub fn answer(&self) -> Option<(&Transaction, FailInfo)> {
        match self {
            Refusal::BadRequest(_) => None,
            Refusal::Unsupported { transaction, .. } => Some((transaction, FailInfo::BadRequest)),
            Refusal::Unreadable { transaction, .. } => Some((transaction, FailInfo::REJECTED)),
        }
    }
}

/// The reasons that SCEP can give (RFC 8894, 3.2.1.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailInfo {
    /// An algorithm is not supported.
    BadAlg,
    /// The message is not what it should be.
    BadMessageCheck,
    /// What is asked for is not given.
    BadRequest,
    /// The time is too far from ours.
    BadTime,
    /// No such certificate.
    BadCertId,
}

impl FailInfo {
    /// The one answer to every request that is not granted, whether it could not be decrypted or parsed, or
    /// its password is wrong: a client that could tell these apart could use us to decrypt what it
    /// intercepted.
    pub const REJECTED: FailInfo = FailInfo::BadMessageCheck;

    fn code(self) -> &'static str {
        match self {
            FailInfo::BadAlg => "0",
            FailInfo::BadMessageCheck => "1",
            FailInfo::BadRequest => "2",
            FailInfo::BadTime => "3",
            FailInfo::BadCertId => "4",
        }
    }

    fn from_code(code: &str) -> Result<Self> {
        let all = [
            FailInfo::BadAlg,
            FailInfo::BadMessageCheck,
            FailInfo::BadRequest,
            FailInfo::BadTime,
            FailInfo::BadCertId,
        ];
        all.into_iter().find(|info| info.code() == code).ok_or(Error::Malformed("SCEP failInfo"))
    }
}

/// A message type by its number.
mod message_type {
    pub(super) const CERT_REP: u8 = 3;
    pub(super) const RENEWAL_REQ: u8 = 17;
    pub(super) const PKCS_REQ: u8 = 19;
}

/// The outcomes that a CertRep can tell (RFC 8894, 3.2.1.3).
mod pki_status {
    pub(super) const SUCCESS: &str = "0";
    pub(super) const FAILURE: &str = "2";
    pub(super) const PENDING: &str = "3";
}

/// An attribute's text, and the string type that it came in.
fn text(attributes: &Attributes, identifier: ObjectIdentifier) -> Result<(String, u8)> {
    let element =
        attributes.element(identifier)?.ok_or(Error::Malformed("SCEP message: an attribute is missing"))?;
    Ok((crate::name::string(element)?, element.tag))
}

fn message_type(attributes: &Attributes) -> Result<u8> {
    let (number, _) = text(attributes, crate::oid::SCEP_MESSAGE_TYPE)?;
    number.parse().map_err(|_| Error::Malformed("SCEP message type"))
}

fn nonce(attributes: &Attributes, identifier: ObjectIdentifier) -> Result<Vec<u8>> {
    let element =
        attributes.element(identifier)?.ok_or(Error::Malformed("SCEP message: a nonce is missing"))?;
    if element.tag != crate::asn1::OCTET_STRING || element.value.is_empty() || element.value.len() > MAX_NONCE
    {
        return Err(Error::Malformed("SCEP nonce"));
    }
    Ok(element.value.to_vec())
}

#[cfg(test)]
mod tests;
