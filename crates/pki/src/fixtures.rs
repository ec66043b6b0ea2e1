//! What the tests of this crate share: a moment, a CA, devices, and the ways in which bytes go wrong.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use proptest::prelude::*;
use proptest::sample::Index;

use crate::asn1::{self, Reader};
use crate::authority::{Authority, Identity};
use crate::certificate::Certificate;
use crate::keys::{PrivateKey, Signer};
use crate::scep::client;

pub(crate) const DAY: Duration = Duration::from_hours(24);

/// A day in November 2026.
pub(crate) fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_795_000_000)
}

pub(crate) fn authority() -> Authority {
    let key = PrivateKey::generate_rsa_2048().unwrap();
    Authority::with_key("Device CA", key, now()).unwrap()
}

/// A key with its self-signed certificate.
pub(crate) fn stranger(key: PrivateKey) -> (PrivateKey, Certificate) {
    let certificate = client::self_signed(&key, "device", now()).unwrap();
    (key, certificate)
}

pub(crate) fn rsa_stranger() -> (PrivateKey, Certificate) {
    stranger(PrivateKey::generate_rsa_2048().unwrap())
}

pub(crate) fn p256_stranger() -> (PrivateKey, Certificate) {
    stranger(PrivateKey::generate_p256().unwrap())
}

pub(crate) fn issue(authority: &Authority, key: &PrivateKey) -> Certificate {
    let identity = Identity {
        spki: key.public_spki(),
        common_name: "enrollment",
        organization: "tenant",
        serial: [7; 16],
        not_before: now() - DAY,
        not_after: now() + 365 * DAY,
    };
    authority.issue(&identity).unwrap()
}

/// The message as the worst of streaming encoders would send it: no length is definite, each octet string in
/// pieces.
pub(crate) fn streamed(der: &[u8]) -> Vec<u8> {
    in_pieces(der, &[asn1::OCTET_STRING])
}

/// As [`streamed`], for an envelope: its encrypted content is an octet string under the tag `[0]`.
pub(crate) fn streamed_envelope(der: &[u8]) -> Vec<u8> {
    in_pieces(der, &[asn1::OCTET_STRING, asn1::implicit(0)])
}

fn in_pieces(der: &[u8], strings: &[u8]) -> Vec<u8> {
    const PIECE: usize = 16;
    let mut out = Vec::new();
    for element in Reader::new(der).rest().unwrap() {
        let inside = if element.tag & 0x20 != 0 {
            in_pieces(element.value, strings)
        } else if strings.contains(&element.tag) && element.value.len() > PIECE {
            element.value.chunks(PIECE).map(asn1::write::octets).collect::<Vec<_>>().concat()
        } else {
            out.extend_from_slice(element.raw);
            continue;
        };
        out.extend([&[element.tag | 0x20, 0x80], inside.as_slice(), &[0, 0]].concat());
    }
    out
}

/// The message with one bit flipped in each byte, one after the other.
pub(crate) fn flipped(message: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    (0..message.len()).map(|index| {
        let mut changed = message.to_vec();
        changed[index] ^= 1 << (index % 8);
        changed
    })
}

/// Every beginning of the message that is not the whole of it.
pub(crate) fn truncated(message: &[u8]) -> impl Iterator<Item = &[u8]> {
    (0..message.len()).map(|length| &message[..length])
}

/// A few bytes, each with the place where it is put.
pub(crate) fn changes() -> impl Strategy<Value = Vec<(Index, u8)>> {
    prop::collection::vec((any::<Index>(), any::<u8>()), 1..8)
}

pub(crate) fn change(message: &mut [u8], changes: Vec<(Index, u8)>) {
    for (index, byte) in changes {
        message[index.index(message.len())] = byte;
    }
}
