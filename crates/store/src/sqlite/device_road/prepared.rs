//! Statements that a group fetches once.

use domain::Result;
use rusqlite::{CachedStatement, Connection};

use crate::error::failed_on_road;

/// A statement, fetched from its connection's cache when a step needs it first, and kept until the group is done: finding
/// it there costs as much as running a short one.
pub(super) struct Prepared<'c> {
    connection: &'c Connection,
    sql: &'static str,
    statement: Option<CachedStatement<'c>>,
}

impl<'c> Prepared<'c> {
    pub(super) fn new(connection: &'c Connection, sql: &'static str) -> Self {
        Self { connection, sql, statement: None }
    }

    pub(super) fn get(&mut self) -> Result<&mut CachedStatement<'c>> {
        match &mut self.statement {
            Some(statement) => Ok(statement),
            none => Ok(none.insert(self.connection.prepare_cached(self.sql).map_err(failed_on_road)?)),
        }
    }
}
