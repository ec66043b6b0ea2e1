//! Texts that a device is asked to show.

use crate::{Error, Result};

/// The longest text that a lock screen is asked to show, bytes.
const LONGEST_TEXT: usize = 1024;

/// A text to show, as the field `field` of the Device API gave it; an empty one is none.
pub(super) fn shown(field: &'static str, text: Option<String>) -> Result<Option<String>> {
    match text {
        Some(text) if text.len() > LONGEST_TEXT => {
            Err(Error::invalid(field, format!("at most {LONGEST_TEXT} bytes")))
        }
        Some(text) if text.chars().any(|letter| letter.is_control() && !"\n\r\t".contains(letter)) => {
            Err(Error::invalid(field, "no control characters"))
        }
        text => Ok(text.filter(|text| !text.is_empty())),
    }
}
