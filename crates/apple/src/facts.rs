//! Apple's whole schema as facts: what there is to say to a device, and which device understands it.
//!
//! The tables are generated from Apple's published schema and from `schema-overlay`, which is ours and brings
//! what newer versions, errata and prose say. Read [`Entry`] first, then [`Terms`]; [`crate::validate`] checks
//! messages against them.

mod build;
mod check_ins;
mod commands;
mod credentials;
mod declarations;
mod errors;
mod model;
mod other;
mod payloads;
mod protocol;
mod status;
mod support;
mod supports;

pub use check_ins::CHECK_INS;
pub use commands::COMMANDS;
pub use credentials::CREDENTIALS;
pub use declarations::DECLARATIONS;
pub use errors::ERRORS;
pub use model::{Apply, Combine, Entry, Format, Key, Kind, Literal, Os, Presence, Reason, Rule, Trait, Type};
pub use other::OTHER;
pub use payloads::PAYLOADS;
pub use protocol::PROTOCOL;
pub use status::STATUS_ITEMS;
pub use support::{Enrollments, Flag, Mode, Right, Scopes, Since, Support, Terms};

/// Which schema and overlay the tables come from: the first eight hexadecimal digits of their common digest.
pub const REVISION: &str = include_str!("facts/REVISION").trim_ascii();

/// All entries of all kinds.
pub fn all() -> impl Iterator<Item = &'static Entry> {
    TABLES.iter().flat_map(|table| table.iter().copied())
}

const TABLES: [&[&Entry]; 9] = [
    &CHECK_INS,
    &COMMANDS,
    &PAYLOADS,
    &DECLARATIONS,
    &CREDENTIALS,
    &PROTOCOL,
    &STATUS_ITEMS,
    &ERRORS,
    &OTHER,
];

/// The command of that `RequestType`.
pub fn command(request_type: &str) -> Option<&'static Entry> {
    one(&COMMANDS, request_type)
}

/// The check-in of that `MessageType`.
pub fn check_in(message_type: &str) -> Option<&'static Entry> {
    one(&CHECK_INS, message_type)
}

/// The payloads of that `PayloadType`; a few types stand for several.
pub fn payloads(payload_type: &str) -> &'static [&'static Entry] {
    named(&PAYLOADS, payload_type)
}

/// The declaration of that type.
pub fn declaration(declaration_type: &str) -> Option<&'static Entry> {
    one(&DECLARATIONS, declaration_type)
}

/// The status item of that name.
pub fn status_item(name: &str) -> Option<&'static Entry> {
    one(&STATUS_ITEMS, name)
}

/// Entries of any kind with that name; a command and a check-in may share one.
pub fn find(name: &str) -> Vec<&'static Entry> {
    TABLES.iter().flat_map(|table| named(table, name)).copied().collect()
}

/// The key of a command that no file of the schema has.
pub(crate) const fn request_type_key() -> Key {
    build::required("RequestType", Type::String)
}

fn one(table: &'static [&'static Entry], name: &str) -> Option<&'static Entry> {
    named(table, name).first().copied()
}

/// Tables are sorted by name.
fn named(table: &'static [&'static Entry], name: &str) -> &'static [&'static Entry] {
    let start = table.partition_point(|entry| entry.name < name);
    let count = table[start..].iter().take_while(|entry| entry.name == name).count();
    &table[start..start + count]
}
