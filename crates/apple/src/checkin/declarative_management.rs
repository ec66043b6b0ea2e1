//! `DeclarativeManagement`: the road of declarative management, JSON within check-ins (Apple's
//! `mdm/checkin/declarativemanagement.yaml`). What travels on it is in [`crate::declaration`].

use plist::Value;
use std::fmt;

use super::{Identifiers, MAX_TEXT, start};
use crate::declaration::Kind;
use crate::document::to_xml;
use crate::fields::{Fields, Malformed, put};

const ENDPOINT: &str = "Endpoint";
const DATA: &str = "Data";
/// As long as a check-in can be at all.
const MAX_DATA: usize = 1 << 20;

/// A device, or a user on it, fetches what is declared, or reports its status.
#[derive(Clone, PartialEq, Eq)]
pub struct DeclarativeManagement {
    /// Who sent it: the device or a user.
    pub ids: Identifiers,
    /// `Endpoint`.
    pub endpoint: Endpoint,
    /// `Data`: JSON, with [`Endpoint::Status`] only; at most 1 MiB.
    pub data: Option<Vec<u8>>,
}

/// What a device wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// `tokens`: whether anything has changed.
    Tokens,
    /// `declaration-items`: the list of all declarations.
    DeclarationItems,
    /// `declaration/KIND/IDENTIFIER`: one of them.
    Declaration {
        /// Which kind.
        kind: Kind,
        /// Its `Identifier`, not yet compared with anything.
        identifier: String,
    },
    /// `status`: a report.
    Status,
    /// An endpoint of a newer OS.
    Other(String),
}

impl DeclarativeManagement {
    pub(super) const MESSAGE_TYPE: &'static str = "DeclarativeManagement";

    pub(super) fn read(fields: Fields<'_>, ids: Identifiers) -> Result<DeclarativeManagement, Malformed> {
        let endpoint = Endpoint::of(&fields.required_text(ENDPOINT, MAX_TEXT)?);
        let data = fields.data(DATA, 0..=MAX_DATA)?;
        if endpoint == Endpoint::Status && data.is_none() {
            return Err(Malformed::Missing { key: DATA });
        }
        Ok(DeclarativeManagement { ids, endpoint, data })
    }

    /// The body that a device would send.
    pub fn encode(&self) -> Vec<u8> {
        let mut dictionary = start(DeclarativeManagement::MESSAGE_TYPE, &self.ids);
        dictionary.insert(ENDPOINT.into(), self.endpoint.to_string().into());
        put(&mut dictionary, DATA, self.data.clone().map(Value::Data));
        to_xml(dictionary)
    }
}

impl Endpoint {
    fn of(text: &str) -> Endpoint {
        match text {
            "tokens" => return Endpoint::Tokens,
            "declaration-items" => return Endpoint::DeclarationItems,
            "status" => return Endpoint::Status,
            _ => {}
        }
        let declaration = text.strip_prefix("declaration/").and_then(|rest| rest.split_once('/'));
        match declaration.and_then(|(kind, identifier)| Some((Kind::of_path(kind)?, identifier))) {
            Some((kind, identifier)) if !identifier.is_empty() => {
                Endpoint::Declaration { kind, identifier: identifier.to_owned() }
            }
            _ => Endpoint::Other(text.to_owned()),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Endpoint::Tokens => f.write_str("tokens"),
            Endpoint::DeclarationItems => f.write_str("declaration-items"),
            Endpoint::Status => f.write_str("status"),
            Endpoint::Declaration { kind, identifier } => {
                write!(f, "declaration/{}/{identifier}", kind.path())
            }
            Endpoint::Other(text) => f.write_str(text),
        }
    }
}

impl fmt::Debug for DeclarativeManagement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeclarativeManagement")
            .field("ids", &self.ids)
            .field("endpoint", &self.endpoint)
            .field("bytes", &self.data.as_ref().map(Vec::len))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::super::CheckIn;
    use super::super::tests::a_device;
    use super::*;
    use proptest::prelude::*;

    fn message(endpoint: &str, data: Option<&[u8]>) -> DeclarativeManagement {
        let data = data.map(<[u8]>::to_vec);
        DeclarativeManagement { ids: a_device(), endpoint: Endpoint::of(endpoint), data }
    }

    #[test]
    fn an_endpoint_is_told_by_its_path() {
        let configuration = Endpoint::Declaration { kind: Kind::Configuration, identifier: "a/b".into() };
        for (text, endpoint) in [
            ("tokens", Endpoint::Tokens),
            ("declaration-items", Endpoint::DeclarationItems),
            ("status", Endpoint::Status),
            ("declaration/configuration/a/b", configuration),
            ("declaration/Configuration/a", Endpoint::Other("declaration/Configuration/a".into())),
            ("declaration/asset/", Endpoint::Other("declaration/asset/".into())),
            ("declaration", Endpoint::Other("declaration".into())),
            ("tokens/../status", Endpoint::Other("tokens/../status".into())),
        ] {
            assert_eq!(Endpoint::of(text), endpoint);
            assert_eq!(endpoint.to_string(), text);
        }
    }

    #[test]
    fn a_status_without_a_report_is_refused() {
        let without = CheckIn::parse(&message("status", None).encode());
        assert_eq!(without, Err(Malformed::Missing { key: "Data" }));
        assert!(CheckIn::parse(&message("status", Some(b"{}")).encode()).is_ok());
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_read_back(
            endpoint in "(declaration/(asset|activation|management|configuration)/)?[a-zA-Z0-9./-]{1,60}",
            data in proptest::collection::vec(any::<u8>(), 0..200),
        ) {
            let message = message(&endpoint, Some(&data));
            prop_assert_eq!(CheckIn::parse(&message.encode()), Ok(CheckIn::DeclarativeManagement(message)));
        }
    }
}
