//! The one error of this crate, sorted by what went wrong and never by what was secret.

/// Why something could not be read, made or believed.
///
/// The texts are for logs and operators. None of them holds key material, a password or bytes of a message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The bytes are not what they should be; the text names the part.
    #[error("malformed {0}")]
    Malformed(&'static str),
    /// Well-formed, but an algorithm or a form that is not spoken here; the text names it.
    #[error("unsupported {0}")]
    Unsupported(&'static str),
    /// A signature or an authentication code does not fit what it should protect.
    #[error("the signature does not verify")]
    Signature,
    /// A message cannot be decrypted. Wrong key, wrong padding and wrong content all look like this, on
    /// purpose.
    #[error("the message cannot be decrypted")]
    Decrypt,
    /// A rule of ours is broken; the text says which.
    #[error("{0}")]
    Refused(&'static str),
    /// Something was sealed with a key that is not on the key ring; the number is the key's version.
    #[error("key version {0} is not on the key ring")]
    UnknownKeyVersion(u32),
    /// The cryptographic library failed where it should not.
    #[error("the cryptographic library failed")]
    Crypto,
}

/// What every fallible function of this crate returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl From<aws_lc_rs::error::Unspecified> for Error {
    fn from(_: aws_lc_rs::error::Unspecified) -> Self {
        Error::Crypto
    }
}
