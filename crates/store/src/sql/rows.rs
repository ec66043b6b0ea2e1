//! Reading columns into the domain's types.

use domain::{CertificateState, CommandState, EnrollmentState, Error, Result, Timestamp};
use pki::Fingerprint;
use serde::de::DeserializeOwned;
use sqlx::{Decode, Row as _, Type};

use super::{super::Db, Row};
use crate::error::failed;

/// What a column holds.
pub(super) fn get<'r, T: Decode<'r, Db> + Type<Db>>(row: &'r Row, column: &str) -> Result<T> {
    row.try_get(column).map_err(failed)
}

/// A time.
pub(super) fn time(row: &Row, column: &str) -> Result<Timestamp> {
    get(row, column).map(Timestamp)
}

/// A time that may be missing.
pub(super) fn maybe_time(row: &Row, column: &str) -> Result<Option<Timestamp>> {
    Ok(get::<Option<i64>>(row, column)?.map(Timestamp))
}

/// A count; databases have no unsigned numbers.
pub(super) fn count(row: &Row, column: &str) -> Result<u32> {
    u32::try_from(get::<i64>(row, column)?).map_err(Error::internal)
}

/// A SHA-256.
pub(super) fn digest(row: &Row, column: &str) -> Result<[u8; 32]> {
    get::<&[u8]>(row, column)?.try_into().map_err(Error::internal)
}

/// A certificate's fingerprint.
pub(super) fn fingerprint(row: &Row, column: &str) -> Result<Fingerprint> {
    digest(row, column).map(Fingerprint)
}

/// A JSON document.
pub(super) fn json<T: DeserializeOwned>(row: &Row, column: &str) -> Result<T> {
    serde_json::from_str(get(row, column)?).map_err(Error::internal)
}

/// How far an enrollment got.
pub(super) fn enrollment_state(row: &Row, column: &str) -> Result<EnrollmentState> {
    known(EnrollmentState::of(get(row, column)?), "enrollment state")
}

/// What a certificate is to its enrollment.
pub(super) fn certificate_state(row: &Row, column: &str) -> Result<CertificateState> {
    known(CertificateState::of(get(row, column)?), "certificate state")
}

/// How far a command got.
pub(super) fn command_state(row: &Row, column: &str) -> Result<CommandState> {
    known(CommandState::of(get(row, column)?), "command state")
}

/// What a code of ours stands for; a code that stands for nothing is a fault of the database's.
pub(super) fn known<T>(value: Option<T>, what: &str) -> Result<T> {
    value.ok_or_else(|| Error::internal(format!("the database holds an unknown {what}")))
}
