//! Opens what a client sends to `PKIOperation`.

use super::{Kind, MAX_TRANSACTION_ID, Refusal, Request, Transaction, message_type};
use crate::asn1;
use crate::authority::Authority;
use crate::certificate::Certificate;
use crate::cms::{self, Signed, envelope};
use crate::csr::Csr;
use crate::{Error, Result, oid};

/// Opens a request that was sealed for `authority`, in DER or BER: SHA-1 or better, AES or triple DES, and
/// single DES only where it is allowed. Nothing is decrypted before the outer signature is verified.
///
/// # Errors
/// A [`Refusal`], which [`Refusal::answer`] turns into what the client may know.
pub fn open(message: &[u8], authority: &Authority, allow_des: bool) -> Result<Request, Refusal> {
    let signed = cms::verify_attached(message).map_err(Refusal::BadRequest)?;
    let transaction = Transaction::read(&signed).map_err(Refusal::BadRequest)?;
    let kind = match super::message_type(&signed.attributes).map_err(Refusal::BadRequest)? {
        message_type::PKCS_REQ => Kind::PkcsReq,
        message_type::RENEWAL_REQ => Kind::RenewalReq,
        message_type => return Err(Refusal::Unsupported { transaction, message_type }),
    };
    match open_envelope(kind, &signed, authority, allow_des) {
        Ok((csr, cipher)) => Ok(Request { kind, transaction, signer: signed.signer, csr, cipher }),
        Err(reason) => Err(Refusal::Unreadable { transaction, reason }),
    }
}

fn open_envelope(
    kind: Kind,
    signed: &Signed,
    authority: &Authority,
    allow_des: bool,
) -> Result<(Csr, envelope::Cipher)> {
    let opened = envelope::open(&signed.content, authority.key(), authority.certificate(), allow_des)?;
    let csr = Csr::from_der(&opened.content)?;
    check_signer(kind, &signed.signer, &csr)?;
    Ok((csr, opened.cipher))
}

/// The answer is sealed for the signer, so its key must be able to open it; and a first request is signed
/// with the key that it is about (RFC 8894, 2.3).
fn check_signer(kind: Kind, signer: &Certificate, csr: &Csr) -> Result<()> {
    let signing_key = signer.public_key()?;
    if !signing_key.is_rsa() {
        return Err(Error::Unsupported("signer of a SCEP request: its key is not RSA"));
    }
    if kind == Kind::PkcsReq && signing_key != crate::public_key::PublicKey::read(csr.spki())? {
        return Err(Error::Refused("the request is signed with another key than it is about"));
    }
    Ok(())
}

impl Transaction {
    fn read(signed: &Signed) -> Result<Self> {
        let (id, id_tag) = super::text(&signed.attributes, oid::SCEP_TRANSACTION_ID)?;
        let printable = id.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        // Only types whose bytes are the text can be given back.
        let plain = matches!(id_tag, asn1::PRINTABLE_STRING | asn1::UTF8_STRING | asn1::IA5_STRING);
        if id.is_empty() || id.len() > MAX_TRANSACTION_ID || !printable || !plain {
            return Err(Error::Malformed("SCEP transaction id"));
        }
        let sender_nonce = super::nonce(&signed.attributes, oid::SCEP_SENDER_NONCE)?;
        Ok(Transaction { id, id_tag, sender_nonce, hash: signed.hash })
    }
}
