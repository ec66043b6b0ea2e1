//! Base64 as it arrives in headers and query strings: folded, unpadded, in either alphabet.

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The bytes that `text` stands for; white space within it does not count. `None` where it is no base64.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    // Nearly all are as the standard has it, and need no copy.
    LENIENT.decode(text.trim_end_matches('=')).ok().or_else(|| folded(text))
}

fn folded(text: &str) -> Option<Vec<u8>> {
    let mut letters = Vec::with_capacity(text.len());
    letters.extend(text.bytes().filter(|byte| !byte.is_ascii_whitespace()).map(standard));
    let end = letters.iter().rposition(|letter| *letter != b'=').map_or(0, |last| last + 1);
    LENIENT.decode(&letters[..end]).ok()
}

/// The URL-safe alphabet has other letters for 62 and 63.
fn standard(letter: u8) -> u8 {
    match letter {
        b'-' => b'+',
        b'_' => b'/',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::{STANDARD as PADDED, URL_SAFE, URL_SAFE_NO_PAD};
    use proptest::prelude::*;

    #[test]
    fn what_is_no_base64_is_none() {
        for text in ["a", "ab=c", "*", "aé", "ab%3D"] {
            assert_eq!(decode(text), None, "{text}");
        }
        assert_eq!(decode(""), Some(vec![]));
    }

    proptest! {
        #[test]
        fn every_form_is_read(bytes in proptest::collection::vec(any::<u8>(), 0..100), at in 0..134usize) {
            for text in [PADDED.encode(&bytes), URL_SAFE.encode(&bytes), URL_SAFE_NO_PAD.encode(&bytes)] {
                let mut folded = text.clone();
                folded.insert_str(at.min(text.len()), "\r\n ");
                prop_assert_eq!(decode(&text), Some(bytes.clone()));
                prop_assert_eq!(decode(&folded), Some(bytes.clone()));
            }
        }

        #[test]
        fn any_text_is_decoded_or_refused(text in ".{0,200}") {
            if let Some(bytes) = decode(&text) {
                prop_assert!(bytes.len() <= text.len());
            }
        }
    }
}
