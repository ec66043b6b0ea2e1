//! How Google writes JSON: 64-bit numbers as strings, times in RFC 3339, spans as seconds with an `s`.

pub(crate) mod int64;
pub(crate) mod list;
pub(crate) mod span;
pub(crate) mod time;

use serde::de::DeserializeOwned;

/// The longest document that is read, in bytes: a page of a hundred devices with all their applications.
pub const MAX_DOCUMENT: usize = 16 * 1024 * 1024;

/// What came is not what Google would send. Says where, but quotes nothing: a device's data stays out of
/// logs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Longer than [`MAX_DOCUMENT`], or than the part of a message may be.
    #[error("{0}: too long")]
    TooLong(&'static str),
    /// Not JSON, or of another shape.
    #[error("{what}: not the JSON expected ({problem}, line {line}, column {column})")]
    Json {
        /// What was to be read.
        what: &'static str,
        /// `syntax`, `data` or `end`.
        problem: &'static str,
        /// Counted from 1.
        line: usize,
        /// Counted from 1.
        column: usize,
    },
    /// `data` of a message is not base64.
    #[error("{0}: not base64")]
    Base64(&'static str),
    /// A message without what its type needs.
    #[error("{0} is missing")]
    Missing(&'static str),
}

/// Reads one document; `what` names it in a failure.
pub fn decode<T: DeserializeOwned>(what: &'static str, json: &[u8]) -> Result<T, Malformed> {
    if json.len() > MAX_DOCUMENT {
        return Err(Malformed::TooLong(what));
    }
    serde_json::from_slice(json).map_err(|error| Malformed::Json {
        what,
        problem: match error.classify() {
            serde_json::error::Category::Data => "data",
            serde_json::error::Category::Eof => "end",
            serde_json::error::Category::Syntax | serde_json::error::Category::Io => "syntax",
        },
        line: error.line(),
        column: error.column(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_says_where_and_quotes_nothing() {
        let failure = decode::<Vec<u8>>("a device", br#"["secret"]"#).unwrap_err().to_string();
        assert!(failure.contains("a device") && failure.contains("column"), "{failure}");
        assert!(!failure.contains("secret"), "{failure}");
    }

    #[test]
    fn too_long_and_too_deep_is_refused() {
        let spaces = vec![b' '; MAX_DOCUMENT + 1];
        assert_eq!(decode::<serde_json::Value>("it", &spaces), Err(Malformed::TooLong("it")));
        let deep = "[".repeat(100_000);
        assert!(decode::<serde_json::Value>("it", deep.as_bytes()).is_err());
    }
}
