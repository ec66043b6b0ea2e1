//! Randomness for keys, nonces and serial numbers, from the cryptographic library.

use crate::Result;

/// Fresh random bytes.
///
/// # Errors
/// [`crate::Error::Crypto`] where the operating system has no randomness to give.
pub fn bytes<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes)?;
    Ok(bytes)
}

/// A serial number that is positive and fits into 16 bytes (RFC 5280, 4.1.2.2).
///
/// # Errors
/// As [`bytes`].
pub fn serial() -> Result<[u8; 16]> {
    let mut serial = bytes::<16>()?;
    serial[0] = serial[0] & 0x7f | 0x40;
    Ok(serial)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serials_are_positive_and_differ() {
        let (one, other) = (serial().unwrap(), serial().unwrap());
        assert!((0x40..0x80).contains(&one[0]));
        assert_ne!(one, other);
    }
}
