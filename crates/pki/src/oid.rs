//! The object identifiers that we speak, by the names that their standards give them.

use crate::asn1::ObjectIdentifier as Oid;

const fn oid(dotted: &str) -> Oid {
    Oid::new_unwrap(dotted)
}

// Content types and attributes of CMS (RFC 5652).
pub(crate) const DATA: Oid = oid("1.2.840.113549.1.7.1");
pub(crate) const SIGNED_DATA: Oid = oid("1.2.840.113549.1.7.2");
pub(crate) const ENVELOPED_DATA: Oid = oid("1.2.840.113549.1.7.3");
pub(crate) const CONTENT_TYPE: Oid = oid("1.2.840.113549.1.9.3");
pub(crate) const MESSAGE_DIGEST: Oid = oid("1.2.840.113549.1.9.4");
pub(crate) const SIGNING_TIME: Oid = oid("1.2.840.113549.1.9.5");

// Attributes of requests (RFC 2985).
pub(crate) const CHALLENGE_PASSWORD: Oid = oid("1.2.840.113549.1.9.7");

// Digests.
pub(crate) const SHA1: Oid = oid("1.3.14.3.2.26");
pub(crate) const SHA256: Oid = oid("2.16.840.1.101.3.4.2.1");
pub(crate) const SHA384: Oid = oid("2.16.840.1.101.3.4.2.2");
pub(crate) const SHA512: Oid = oid("2.16.840.1.101.3.4.2.3");

// Keys and signatures (RFC 8017, RFC 5758).
pub(crate) const RSA: Oid = oid("1.2.840.113549.1.1.1");
pub(crate) const SHA1_WITH_RSA: Oid = oid("1.2.840.113549.1.1.5");
pub(crate) const SHA256_WITH_RSA: Oid = oid("1.2.840.113549.1.1.11");
pub(crate) const SHA384_WITH_RSA: Oid = oid("1.2.840.113549.1.1.12");
pub(crate) const SHA512_WITH_RSA: Oid = oid("1.2.840.113549.1.1.13");
pub(crate) const EC: Oid = oid("1.2.840.10045.2.1");
pub(crate) const P256: Oid = oid("1.2.840.10045.3.1.7");
pub(crate) const P384: Oid = oid("1.3.132.0.34");
pub(crate) const P521: Oid = oid("1.3.132.0.35");
pub(crate) const ECDSA_SHA1: Oid = oid("1.2.840.10045.4.1");
pub(crate) const ECDSA_SHA256: Oid = oid("1.2.840.10045.4.3.2");
pub(crate) const ECDSA_SHA384: Oid = oid("1.2.840.10045.4.3.3");
pub(crate) const ECDSA_SHA512: Oid = oid("1.2.840.10045.4.3.4");

// Content ciphers, each in CBC mode.
pub(crate) const DES: Oid = oid("1.3.14.3.2.7");
pub(crate) const TRIPLE_DES: Oid = oid("1.2.840.113549.3.7");
pub(crate) const AES128: Oid = oid("2.16.840.1.101.3.4.1.2");
pub(crate) const AES192: Oid = oid("2.16.840.1.101.3.4.1.22");
pub(crate) const AES256: Oid = oid("2.16.840.1.101.3.4.1.42");

// Parts of a name (RFC 4519, RFC 2985).
pub(crate) const COMMON_NAME: Oid = oid("2.5.4.3");
pub(crate) const SERIAL_NUMBER: Oid = oid("2.5.4.5");
pub(crate) const COUNTRY: Oid = oid("2.5.4.6");
pub(crate) const LOCALITY: Oid = oid("2.5.4.7");
pub(crate) const STATE: Oid = oid("2.5.4.8");
pub(crate) const ORGANIZATION: Oid = oid("2.5.4.10");
pub(crate) const ORGANIZATIONAL_UNIT: Oid = oid("2.5.4.11");
pub(crate) const EMAIL_ADDRESS: Oid = oid("1.2.840.113549.1.9.1");
pub(crate) const USER_ID: Oid = oid("0.9.2342.19200300.100.1.1");
pub(crate) const DOMAIN_COMPONENT: Oid = oid("0.9.2342.19200300.100.1.25");

// Extensions of certificates (RFC 5280, 4.2).
pub(crate) const SUBJECT_KEY_IDENTIFIER: Oid = oid("2.5.29.14");
pub(crate) const KEY_USAGE: Oid = oid("2.5.29.15");
pub(crate) const SUBJECT_ALT_NAME: Oid = oid("2.5.29.17");
pub(crate) const BASIC_CONSTRAINTS: Oid = oid("2.5.29.19");
pub(crate) const CERTIFICATE_POLICIES: Oid = oid("2.5.29.32");
pub(crate) const AUTHORITY_KEY_IDENTIFIER: Oid = oid("2.5.29.35");
pub(crate) const EXTENDED_KEY_USAGE: Oid = oid("2.5.29.37");
pub(crate) const ANY_EXTENDED_KEY_USAGE: Oid = oid("2.5.29.37.0");
pub(crate) const SERVER_AUTH: Oid = oid("1.3.6.1.5.5.7.3.1");
pub(crate) const CLIENT_AUTH: Oid = oid("1.3.6.1.5.5.7.3.2");

// Attributes of SCEP messages (RFC 8894, 3.2.1).
pub(crate) const SCEP_MESSAGE_TYPE: Oid = oid("2.16.840.1.113733.1.9.2");
pub(crate) const SCEP_PKI_STATUS: Oid = oid("2.16.840.1.113733.1.9.3");
pub(crate) const SCEP_FAIL_INFO: Oid = oid("2.16.840.1.113733.1.9.4");
pub(crate) const SCEP_SENDER_NONCE: Oid = oid("2.16.840.1.113733.1.9.5");
pub(crate) const SCEP_RECIPIENT_NONCE: Oid = oid("2.16.840.1.113733.1.9.6");
pub(crate) const SCEP_TRANSACTION_ID: Oid = oid("2.16.840.1.113733.1.9.7");
