//! Declarative management: the documents that a device fetches, and in [`status`] the report that it sends. All are
//! JSON (Apple's `declarative/protocol`); the check-in that carries them is
//! [`DeclarativeManagement`](crate::checkin::DeclarativeManagement).

pub mod status;

use serde_json::{Map, Value, json};

use crate::fields::Malformed;

/// No identifier and no server token is longer, in bytes (Apple's prose).
pub const MAX_NAME: usize = 64;
/// No `DeclarationsToken` is longer, in bytes (Apple's prose).
pub const MAX_TOKEN: usize = 256;
/// No document is longer, in bytes.
pub(crate) const MAX_DOCUMENT: usize = 1 << 20;
const MAX_ITEMS: usize = 10_000;

const IDENTIFIER: &str = "Identifier";
const SERVER_TOKEN: &str = "ServerToken";
const TYPE: &str = "Type";
const PAYLOAD: &str = "Payload";
const SYNC_TOKENS: &str = "SyncTokens";
const DECLARATIONS: &str = "Declarations";
const DECLARATIONS_TOKEN: &str = "DeclarationsToken";
const TIMESTAMP: &str = "Timestamp";

/// What a declaration is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Switches configurations on.
    Activation,
    /// Data that configurations refer to.
    Asset,
    /// A rule that holds where an activation names it.
    Configuration,
    /// Something about the management itself; always in force.
    Management,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 4] = [Kind::Activation, Kind::Asset, Kind::Configuration, Kind::Management];

    /// As it stands in an endpoint: lower case, singular.
    pub fn path(self) -> &'static str {
        match self {
            Kind::Activation => "activation",
            Kind::Asset => "asset",
            Kind::Configuration => "configuration",
            Kind::Management => "management",
        }
    }

    /// As it stands in a [`Manifest`].
    pub fn list(self) -> &'static str {
        match self {
            Kind::Activation => "Activations",
            Kind::Asset => "Assets",
            Kind::Configuration => "Configurations",
            Kind::Management => "Management",
        }
    }

    /// The kind of this word in an endpoint.
    pub fn of_path(path: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.path() == path)
    }

    /// The kind that a declaration's `Type` says: the third of its words.
    pub fn of_type(declaration_type: &str) -> Option<Kind> {
        declaration_type.strip_prefix("com.apple.")?.split('.').next().and_then(Kind::of_path)
    }
}

/// One declaration.
#[derive(Clone, Debug, PartialEq)]
pub struct Declaration {
    /// `Type`, such as `com.apple.activation.simple`.
    pub declaration_type: String,
    /// `Identifier`: the same for as long as it is the same declaration.
    pub identifier: String,
    /// `ServerToken`: another one whenever anything of the declaration changes.
    pub server_token: String,
    /// `Payload`.
    pub payload: Map<String, Value>,
}

/// The answer to `tokens`, and the `Data` of the command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncTokens {
    /// `DeclarationsToken`: another one whenever the set of declarations changes.
    pub declarations_token: String,
    /// `Timestamp`: when it last did; RFC 3339 in whole seconds.
    pub timestamp: String,
}

/// The answer to `declaration-items`: every declaration by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    /// The declarations.
    pub items: Vec<Item>,
    /// `DeclarationsToken` of exactly these.
    pub declarations_token: String,
}

/// A declaration in a [`Manifest`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Which kind.
    pub kind: Kind,
    /// `Identifier`.
    pub identifier: String,
    /// `ServerToken`.
    pub server_token: String,
}

impl Declaration {
    /// The document as a device gets it.
    pub fn encode(&self) -> Vec<u8> {
        self.to_json().to_string().into_bytes()
    }

    /// The document, for [`crate::validate::declaration`].
    pub fn to_json(&self) -> Value {
        json!({
            TYPE: self.declaration_type, IDENTIFIER: self.identifier, SERVER_TOKEN: self.server_token,
            PAYLOAD: self.payload,
        })
    }

    /// Reads what a server sent.
    ///
    /// # Errors
    /// [`Malformed`] with the key at fault.
    pub fn parse(bytes: &[u8]) -> Result<Declaration, Malformed> {
        let document = object(bytes)?;
        let payload = document.get(PAYLOAD).ok_or(Malformed::Missing { key: PAYLOAD })?.as_object();
        Ok(Declaration {
            declaration_type: text(&document, TYPE, MAX_TOKEN)?,
            identifier: text(&document, IDENTIFIER, MAX_NAME)?,
            server_token: text(&document, SERVER_TOKEN, MAX_NAME)?,
            payload: payload.cloned().ok_or(Malformed::WrongType { key: PAYLOAD, expected: "dictionary" })?,
        })
    }
}

impl SyncTokens {
    /// The document as a device gets it.
    pub fn encode(&self) -> Vec<u8> {
        let tokens = json!({ DECLARATIONS_TOKEN: self.declarations_token, TIMESTAMP: self.timestamp });
        json!({ SYNC_TOKENS: tokens }).to_string().into_bytes()
    }

    /// Reads what a server sent.
    ///
    /// # Errors
    /// [`Malformed`] with the key at fault.
    pub fn parse(bytes: &[u8]) -> Result<SyncTokens, Malformed> {
        let document = object(bytes)?;
        let tokens = dictionary(&document, SYNC_TOKENS)?;
        Ok(SyncTokens {
            declarations_token: text(tokens, DECLARATIONS_TOKEN, MAX_TOKEN)?,
            timestamp: text(tokens, TIMESTAMP, MAX_NAME)?,
        })
    }
}

impl Manifest {
    /// The document as a device gets it: all four lists, the empty ones too.
    pub fn encode(&self) -> Vec<u8> {
        let list = |kind| {
            let items = self.items.iter().filter(|item| item.kind == kind);
            items
                .map(|item| json!({ IDENTIFIER: item.identifier, SERVER_TOKEN: item.server_token }))
                .collect()
        };
        let lists: Map<String, Value> =
            Kind::ALL.map(|kind| (kind.list().to_owned(), list(kind))).into_iter().collect();
        json!({ DECLARATIONS: lists, DECLARATIONS_TOKEN: self.declarations_token }).to_string().into_bytes()
    }

    /// Reads what a server sent, at most 10,000 declarations.
    ///
    /// # Errors
    /// [`Malformed`] with the key at fault; each of the four lists is required.
    pub fn parse(bytes: &[u8]) -> Result<Manifest, Malformed> {
        let document = object(bytes)?;
        let lists = dictionary(&document, DECLARATIONS)?;
        let mut items = Vec::new();
        for kind in Kind::ALL {
            let key = kind.list();
            let list = lists.get(key).ok_or(Malformed::Missing { key })?.as_array();
            for item in list.ok_or(Malformed::WrongType { key, expected: "array" })?.iter().take(MAX_ITEMS) {
                let item = item.as_object().ok_or(Malformed::WrongType { key, expected: "array" })?;
                items.push(Item {
                    kind,
                    identifier: text(item, IDENTIFIER, MAX_NAME)?,
                    server_token: text(item, SERVER_TOKEN, MAX_NAME)?,
                });
            }
        }
        Ok(Manifest { items, declarations_token: text(&document, DECLARATIONS_TOKEN, MAX_TOKEN)? })
    }
}

/// A JSON document that is an object. The parser itself ends at 128 levels.
pub(crate) fn object(bytes: &[u8]) -> Result<Map<String, Value>, Malformed> {
    const DATA: &str = "Data";
    if bytes.len() > MAX_DOCUMENT {
        return Err(Malformed::Invalid { key: DATA, rule: "is too long" });
    }
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(document)) => Ok(document),
        Ok(_) => Err(Malformed::NotADictionary),
        Err(_) => Err(Malformed::Invalid { key: DATA, rule: "is no JSON" }),
    }
}

fn dictionary<'a>(
    document: &'a Map<String, Value>,
    key: &'static str,
) -> Result<&'a Map<String, Value>, Malformed> {
    let value = document.get(key).ok_or(Malformed::Missing { key })?;
    value.as_object().ok_or(Malformed::WrongType { key, expected: "dictionary" })
}

/// A text of 1 to `max` bytes.
fn text(document: &Map<String, Value>, key: &'static str, max: usize) -> Result<String, Malformed> {
    let value = document.get(key).ok_or(Malformed::Missing { key })?;
    let text = value.as_str().ok_or(Malformed::WrongType { key, expected: "string" })?;
    match text.len() {
        0 => Err(Malformed::Missing { key }),
        length if length > max => Err(Malformed::Invalid { key, rule: "is too long" }),
        _ => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_kind_of_a_declaration_stands_in_its_type() {
        assert_eq!(Kind::of_type("com.apple.activation.simple"), Some(Kind::Activation));
        assert_eq!(Kind::of_type("com.apple.configuration.passcode.settings"), Some(Kind::Configuration));
        assert_eq!(Kind::of_type("com.example.configuration.x"), None);
        assert_eq!(Kind::of_type("com.apple.other"), None);
    }

    #[test]
    fn a_manifest_without_one_of_its_lists_is_refused() {
        let whole = String::from_utf8(Manifest { declarations_token: "t".into(), items: vec![] }.encode());
        let whole = whole.unwrap();
        for kind in Kind::ALL {
            let without = whole.replace(kind.list(), "Other");
            assert_eq!(
                Manifest::parse(without.as_bytes()),
                Err(Malformed::Missing { key: kind.list() }),
                "{without}"
            );
        }
    }

    #[test]
    fn names_and_documents_have_bounds() {
        let declaration = |length| Declaration {
            declaration_type: "com.apple.activation.simple".into(),
            identifier: "i".repeat(length),
            server_token: "s".into(),
            payload: Map::new(),
        };
        assert!(Declaration::parse(&declaration(64).encode()).is_ok());
        assert!(Declaration::parse(&declaration(65).encode()).is_err());
        assert!(object(&vec![b' '; MAX_DOCUMENT + 1]).is_err());
        let deep = format!("{{\"a\":{}", "[".repeat(100_000));
        assert!(object(deep.as_bytes()).is_err());
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_read_back(
            names in proptest::collection::vec(("[a-z.-]{1,64}", "[0-9a-f]{1,64}", 0..4_usize), 0..9),
            token in "[!-~]{1,256}",
        ) {
            let tokens = SyncTokens { declarations_token: token.clone(), timestamp: "2026-01-02T03:04:05Z".into() };
            prop_assert_eq!(SyncTokens::parse(&tokens.encode()), Ok(tokens));
            let item = |(identifier, server_token, kind): (String, String, usize)| {
                Item { kind: Kind::ALL[kind], identifier, server_token }
            };
            let mut items: Vec<_> = names.into_iter().map(item).collect();
            items.sort_by_key(|item| item.kind);
            let manifest = Manifest { items, declarations_token: token };
            prop_assert_eq!(Manifest::parse(&manifest.encode()), Ok(manifest));
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = (Manifest::parse(&bytes), SyncTokens::parse(&bytes), Declaration::parse(&bytes));
        }
    }
}
