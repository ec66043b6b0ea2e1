//! Strict reading of a property list's keys: a wrong type is an error that names the key, and everything is
//! bounded.

use plist::{Dictionary, Value};
use std::ops::RangeInclusive;

use crate::guard::{self, Limits, MalformedPlist};

/// Why a message was refused. Its text names the key and never repeats the value, so that it may be logged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// The property list itself is broken or a bomb.
    #[error(transparent)]
    Plist(#[from] MalformedPlist),
    /// The outermost value is not a dictionary.
    #[error("the outermost value is not a dictionary")]
    NotADictionary,
    /// A required key is not there.
    #[error("the key {key} is missing")]
    Missing {
        /// The key in Apple's spelling.
        key: &'static str,
    },
    /// The key holds a value of another type.
    #[error("the key {key} is not of type {expected}")]
    WrongType {
        /// The key in Apple's spelling.
        key: &'static str,
        /// The type in Apple's spelling: `string`, `data` …
        expected: &'static str,
    },
    /// The value breaks a rule of Apple's or one of our bounds.
    #[error("the key {key} {rule}")]
    Invalid {
        /// The key in Apple's spelling.
        key: &'static str,
        /// What is wrong, to be read after the key's name.
        rule: &'static str,
    },
}

/// Guards and parses a document whose outermost value is a dictionary.
pub(crate) fn parse_dictionary(bytes: &[u8], limits: Limits) -> Result<Dictionary, Malformed> {
    guard::parse(bytes, limits)?.into_dictionary().ok_or(Malformed::NotADictionary)
}

/// The keys of one dictionary.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a>(pub(crate) &'a Dictionary);

impl<'a> Fields<'a> {
    /// A text of at most `max` bytes; an empty one counts as absent.
    pub(crate) fn text(self, key: &'static str, max: usize) -> Result<Option<String>, Malformed> {
        let Some(value) = self.0.get(key) else { return Ok(None) };
        let text = value.as_string().ok_or(Malformed::WrongType { key, expected: "string" })?;
        if text.len() > max {
            return Err(Malformed::Invalid { key, rule: "is too long" });
        }
        Ok(Some(text).filter(|text| !text.is_empty()).map(str::to_owned))
    }

    pub(crate) fn required_text(self, key: &'static str, max: usize) -> Result<String, Malformed> {
        self.text(key, max)?.ok_or(Malformed::Missing { key })
    }

    /// Bytes whose number is within `size`.
    pub(crate) fn data(
        self,
        key: &'static str,
        size: RangeInclusive<usize>,
    ) -> Result<Option<Vec<u8>>, Malformed> {
        let Some(value) = self.0.get(key) else { return Ok(None) };
        let data = value.as_data().ok_or(Malformed::WrongType { key, expected: "data" })?;
        if !size.contains(&data.len()) {
            return Err(Malformed::Invalid { key, rule: "has a size that is out of bounds" });
        }
        Ok(Some(data.to_vec()))
    }

    pub(crate) fn required_data(
        self,
        key: &'static str,
        size: RangeInclusive<usize>,
    ) -> Result<Vec<u8>, Malformed> {
        self.data(key, size)?.ok_or(Malformed::Missing { key })
    }

    pub(crate) fn boolean(self, key: &'static str) -> Result<Option<bool>, Malformed> {
        self.typed(key, "boolean", Value::as_boolean)
    }

    pub(crate) fn integer(self, key: &'static str) -> Result<Option<i64>, Malformed> {
        self.typed(key, "integer", Value::as_signed_integer)
    }

    pub(crate) fn required_integer(self, key: &'static str) -> Result<i64, Malformed> {
        self.integer(key)?.ok_or(Malformed::Missing { key })
    }

    pub(crate) fn array(self, key: &'static str) -> Result<Option<&'a [Value]>, Malformed> {
        self.typed(key, "array", |value| value.as_array().map(Vec::as_slice))
    }

    pub(crate) fn required_array(self, key: &'static str) -> Result<&'a [Value], Malformed> {
        self.array(key)?.ok_or(Malformed::Missing { key })
    }

    pub(crate) fn required_dictionary(self, key: &'static str) -> Result<Fields<'a>, Malformed> {
        self.typed(key, "dictionary", Value::as_dictionary)?.map(Fields).ok_or(Malformed::Missing { key })
    }

    fn typed<T>(
        self,
        key: &'static str,
        expected: &'static str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, Malformed> {
        let Some(value) = self.0.get(key) else { return Ok(None) };
        read(value).map(Some).ok_or(Malformed::WrongType { key, expected })
    }
}

/// Writes `key` if there is something to write.
pub(crate) fn put<T: Into<Value>>(dictionary: &mut Dictionary, key: &str, value: Option<T>) {
    if let Some(value) = value {
        dictionary.insert(key.to_owned(), value.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(key: &str, value: impl Into<Value>) -> Dictionary {
        Dictionary::from_iter([(key.to_owned(), value.into())])
    }

    #[test]
    fn a_wrong_type_is_an_error_that_names_the_key() {
        let error = Fields(&one("Topic", 5)).text("Topic", 10).unwrap_err();
        assert_eq!(error.to_string(), "the key Topic is not of type string");
        assert!(Fields(&one("Token", "x")).data("Token", 1..=9).unwrap_err().to_string().contains("Token"));
        assert!(Fields(&one("Awaiting", 1)).boolean("Awaiting").is_err());
    }

    #[test]
    fn an_empty_text_counts_as_absent() {
        assert_eq!(Fields(&one("MEID", "")).text("MEID", 10), Ok(None));
        assert_eq!(
            Fields(&one("Topic", "")).required_text("Topic", 10),
            Err(Malformed::Missing { key: "Topic" })
        );
    }

    #[test]
    fn bounds_are_inclusive() {
        assert!(Fields(&one("a", "12345")).text("a", 5).is_ok());
        assert!(Fields(&one("a", "123456")).text("a", 5).is_err());
        assert!(Fields(&one("a", Value::Data(vec![]))).data("a", 1..=2).is_err());
        assert!(Fields(&one("a", Value::Data(vec![0; 2]))).data("a", 1..=2).is_ok());
    }
}
