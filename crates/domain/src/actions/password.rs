//! A password that a device is to have.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// The longest password that is passed on, bytes.
const LONGEST: usize = 128;

/// A password on its way to a device; never in a log. Whether it is good enough, the device judges.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Password(String);

impl Password {
    /// What the Device API's `password` gave; an empty one is none.
    pub(super) fn given(text: Option<String>) -> Result<Option<Self>> {
        match text.filter(|text| !text.is_empty()) {
            Some(text) if text.len() > LONGEST || text.chars().any(char::is_control) => {
                Err(Error::invalid("password", format!("at most {LONGEST} bytes, no control characters")))
            }
            text => Ok(text.map(Self)),
        }
    }

    /// The password itself.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_any_short_text_and_stays_out_of_logs() {
        let password = Password::given(Some("12 34".into())).unwrap().unwrap();
        assert_eq!((password.reveal(), format!("{password:?}")), ("12 34", "Password(…)".into()));
        assert_eq!(Password::given(Some(String::new())).unwrap(), None);
        for bad in ["a\nb".to_owned(), "x".repeat(129)] {
            assert!(Password::given(Some(bad)).is_err());
        }
    }
}
