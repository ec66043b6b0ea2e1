//! The keys that every payload has (Apple's `mdm/profiles/CommonPayloadKeys.yaml`).

use plist::{Dictionary, Value};

use super::{CONTENT, MAX_PAYLOADS, MAX_TEXT};
use crate::fields::{Fields, Malformed};

const KIND: &str = "PayloadType";
const IDENTIFIER: &str = "PayloadIdentifier";
const UUID: &str = "PayloadUUID";
const VERSION: &str = "PayloadVersion";

/// A payload, or the profile itself, whose common keys were read.
pub(super) struct Payload<'a> {
    pub(super) kind: String,
    pub(super) identifier: String,
    pub(super) uuid: String,
    pub(super) fields: Fields<'a>,
}

impl<'a> Payload<'a> {
    pub(super) fn head(kind: &str, identifier: &str, uuid: &str, display_name: &str) -> Dictionary {
        Dictionary::from_iter([
            (KIND, Value::from(kind)),
            (VERSION, Value::from(1)),
            (IDENTIFIER, Value::from(identifier)),
            (UUID, Value::from(uuid)),
            ("PayloadDisplayName", Value::from(display_name)),
        ])
    }

    pub(super) fn read(fields: Fields<'a>) -> Result<Payload<'a>, Malformed> {
        if fields.required_integer(VERSION)? != 1 {
            return Err(Malformed::Invalid { key: VERSION, rule: "is not 1" });
        }
        Ok(Payload {
            kind: fields.required_text(KIND, MAX_TEXT)?,
            identifier: fields.required_text(IDENTIFIER, MAX_TEXT)?,
            uuid: fields.required_text(UUID, MAX_TEXT)?,
            fields,
        })
    }
}

/// All payloads of a profile, no two of them with the same identifier or UUID.
pub(super) fn read_all(items: &[Value]) -> Result<Vec<Payload<'_>>, Malformed> {
    if items.len() > MAX_PAYLOADS {
        return Err(Malformed::Invalid { key: CONTENT, rule: "has too many payloads" });
    }
    let mut payloads: Vec<Payload<'_>> = Vec::new();
    for item in items {
        let item = item
            .as_dictionary()
            .ok_or(Malformed::WrongType { key: CONTENT, expected: "array of dictionaries" })?;
        let payload = Payload::read(Fields(item))?;
        for (key, twice) in [
            (UUID, payloads.iter().any(|other| other.uuid == payload.uuid)),
            (IDENTIFIER, payloads.iter().any(|other| other.identifier == payload.identifier)),
        ] {
            if twice {
                return Err(Malformed::Invalid { key, rule: "stands twice in the profile" });
            }
        }
        payloads.push(payload);
    }
    Ok(payloads)
}

pub(super) fn at_most_one<'p, 'a>(
    payloads: &'p [Payload<'a>],
    kind: &str,
) -> Result<Option<&'p Payload<'a>>, Malformed> {
    let mut of_kind = payloads.iter().filter(|payload| payload.kind == kind);
    match (of_kind.next(), of_kind.next()) {
        (_, Some(_)) => Err(Malformed::Invalid { key: CONTENT, rule: "has two payloads of one type" }),
        (one, None) => Ok(one),
    }
}

pub(super) fn exactly_one<'p, 'a>(
    payloads: &'p [Payload<'a>],
    kind: &str,
) -> Result<&'p Payload<'a>, Malformed> {
    at_most_one(payloads, kind)?
        .ok_or(Malformed::Invalid { key: CONTENT, rule: "lacks a payload that enrollment needs" })
}
