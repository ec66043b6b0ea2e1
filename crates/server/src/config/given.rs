//! A setting of another type than text, as it was given: what is wrong with it is told with everything else that is.

use std::{convert::Infallible, str::FromStr};

use serde::{Deserialize, Deserializer, de::Error};

/// A value, or the text that is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Given<T> {
    /// A value.
    Sound(T),
    /// What was given instead of one.
    Unsound(String),
}

impl<T> From<T> for Given<T> {
    fn from(value: T) -> Self {
        Self::Sound(value)
    }
}

impl<T: FromStr> FromStr for Given<T> {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(text.trim().parse().map_or_else(|_| Self::Unsound(text.to_owned()), Self::Sound))
    }
}

/// From a value of its own type, or from text, as a variable would have it.
impl<'de, T: FromStr> Deserialize<'de> for Given<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = toml::Value::deserialize(deserializer)?;
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        text.parse().map_err(|never: Infallible| D::Error::custom(never))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct File {
        open: Given<bool>,
        most: Given<usize>,
    }

    #[test]
    fn a_file_gives_a_value_as_such_or_as_text() {
        for text in ["open = true\nmost = 7", "open = \"true\"\nmost = \" 7\""] {
            let file: File = toml::from_str(text).unwrap();
            assert_eq!((file.open, file.most), (Given::Sound(true), Given::Sound(7)));
        }
    }

    #[test]
    fn what_is_no_value_is_kept_to_be_told() {
        let file: File = toml::from_str("open = \"perhaps\"\nmost = [1]").unwrap();
        assert_eq!(file.open, Given::Unsound("perhaps".into()));
        assert_eq!(file.most, Given::Unsound("[1]".into()));
    }
}
