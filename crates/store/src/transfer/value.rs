//! What a column holds, the same whichever database it is read from.

use domain::{Error, Result};
use uuid::Uuid;

/// A row, in the order of its table's columns.
pub(super) type Row = Vec<Value>;

/// A value; ids are bytes, and flags are numbers.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Null,
    Number(i64),
    Text(String),
    Bytes(Vec<u8>),
}

/// What PostgreSQL makes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Uuid,
    Bytes,
    Text,
    Big,
    Small,
    Flag,
}

impl Kind {
    /// By PostgreSQL's name of the type.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "uuid" => Self::Uuid,
            "bytea" => Self::Bytes,
            "text" => Self::Text,
            "int8" => Self::Big,
            "int2" => Self::Small,
            "bool" => Self::Flag,
            _ => return None,
        })
    }

    /// PostgreSQL's name of the type.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Uuid => "uuid",
            Self::Bytes => "bytea",
            Self::Text => "text",
            Self::Big => "int8",
            Self::Small => "int2",
            Self::Flag => "bool",
        }
    }
}

impl Value {
    /// Roughly how much memory it takes, bytes.
    pub(super) fn length(&self) -> usize {
        match self {
            Self::Null | Self::Number(_) => 16,
            Self::Text(text) => 16 + text.len(),
            Self::Bytes(bytes) => 16 + bytes.len(),
        }
    }

    pub(super) fn uuid(&self) -> Result<Option<Uuid>> {
        match self {
            Self::Null => Ok(None),
            Self::Bytes(bytes) => Uuid::from_slice(bytes).map(Some).map_err(Error::internal),
            _ => Err(unfit("an id")),
        }
    }

    pub(super) fn bytes(&self) -> Result<Option<&[u8]>> {
        match self {
            Self::Null => Ok(None),
            Self::Bytes(bytes) => Ok(Some(bytes)),
            _ => Err(unfit("bytes")),
        }
    }

    pub(super) fn text(&self) -> Result<Option<&str>> {
        match self {
            Self::Null => Ok(None),
            Self::Text(text) => Ok(Some(text)),
            _ => Err(unfit("text")),
        }
    }

    pub(super) fn number(&self) -> Result<Option<i64>> {
        match self {
            Self::Null => Ok(None),
            Self::Number(number) => Ok(Some(*number)),
            _ => Err(unfit("a number")),
        }
    }

    pub(super) fn small(&self) -> Result<Option<i16>> {
        self.number()?.map(|number| i16::try_from(number).map_err(Error::internal)).transpose()
    }

    pub(super) fn flag(&self) -> Result<Option<bool>> {
        match self.number()? {
            None => Ok(None),
            Some(0) => Ok(Some(false)),
            Some(1) => Ok(Some(true)),
            Some(_) => Err(unfit("true or false")),
        }
    }
}

/// A row behind a digest, in a form that no other row has.
pub(super) fn digested(digest: [u8; 32], row: &Row) -> Vec<u8> {
    let mut bytes = digest.to_vec();
    for value in row {
        match value {
            Value::Null => bytes.push(0),
            Value::Number(number) => {
                bytes.push(1);
                bytes.extend(number.to_be_bytes());
            }
            Value::Text(text) => with_length(&mut bytes, 2, text.as_bytes()),
            Value::Bytes(some) => with_length(&mut bytes, 3, some),
        }
    }
    bytes
}

fn with_length(bytes: &mut Vec<u8>, kind: u8, value: &[u8]) {
    bytes.push(kind);
    bytes.extend((value.len() as u64).to_be_bytes());
    bytes.extend(value);
}

fn unfit(wanted: &str) -> Error {
    Error::internal(format!("a column holds something other than {wanted}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_differ_in_anything_have_other_digests() {
        let text = |text: &str| Value::Text(text.into());
        let rows = [
            vec![text("ab"), text("c")],
            vec![text("a"), text("bc")],
            vec![Value::Bytes(b"ab".to_vec()), text("c")],
            vec![Value::Null, text("abc")],
            vec![Value::Number(0), text("abc")],
            vec![text("abc")],
        ];
        let digests: Vec<_> = rows.iter().map(|row| digested([0; 32], row)).collect();
        for (place, digest) in digests.iter().enumerate() {
            assert!(!digests[..place].contains(digest), "{:?}", rows[place]);
        }
        assert_ne!(digested([1; 32], &rows[0]), digests[0]);
    }

    #[test]
    fn a_value_of_another_type_is_refused_and_not_bent() {
        assert_eq!(Value::Number(1).flag().unwrap(), Some(true));
        assert!(Value::Number(2).flag().is_err());
        assert!(Value::Number(40_000).small().is_err());
        assert!(Value::Bytes(vec![1; 15]).uuid().is_err());
        assert!(Value::Text("1".into()).number().is_err());
        assert_eq!(Value::Null.uuid().unwrap(), None);
    }
}
