//! What there is to move.

use super::value::{Kind, Row, Value};

/// Every table, behind those that it refers to. A test compares the list with the schema.
pub(crate) const TABLES: [&str; 37] = [
    "tenants",
    "admins",
    "admin_roles",
    "api_keys",
    "applications",
    "installation",
    "users",
    "groups",
    "enrollment_links",
    "own_links",
    "device_cas",
    "push_certificates",
    "push_request_keys",
    "enrollments",
    "certificates",
    "channels",
    "devices",
    "device_imeis",
    "apps",
    "commands",
    "outcomes",
    "pushes",
    "push_lists",
    "escrow",
    "purges",
    "purge_ids",
    "tombstones",
    "audit",
    "request_counters",
    "request_times",
    "access_tokens",
    "attempts",
    "android_enterprises",
    "android_calls",
    "android_notifications",
    "android_queries",
    "android_listed",
];

/// A table as PostgreSQL has it.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub(super) table: &'static str,
    /// In the order in which values stand in a [`Row`].
    pub(super) columns: Vec<Column>,
    /// The primary key: places in `columns`.
    pub(super) key: Vec<usize>,
    /// How many rows there are to move.
    pub(super) rows: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// Whether the database numbers rows by it.
    pub(super) is_identity: bool,
}

impl Layout {
    /// All columns, for a statement.
    pub(super) fn names(&self) -> String {
        let names: Vec<_> = self.columns.iter().map(|column| column.name.as_str()).collect();
        names.join(", ")
    }

    /// The columns of the key.
    pub(super) fn key_columns(&self) -> impl Iterator<Item = &Column> {
        self.key.iter().filter_map(|&place| self.columns.get(place))
    }

    /// The key of a row.
    pub(super) fn key_of(&self, row: &Row) -> Vec<Value> {
        self.key.iter().filter_map(|&place| row.get(place).cloned()).collect()
    }
}
