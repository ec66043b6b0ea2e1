//! `DeclarativeManagement` (Apple's `mdm/commands/declarativemanagement.yaml`; no right).

use plist::{Dictionary, Value};

use super::Request;
use crate::fields::{Fields, Malformed, put};

const DATA: &str = "Data";
const MAX_DATA: usize = 64 << 10;

/// Switches declarative management on, for good, or says that something has changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeclarativeManagement {
    /// `Data`: the answer to `tokens` ([`SyncTokens`](crate::declaration::SyncTokens)), so that the device need not
    /// ask; at most 64 KiB.
    pub data: Option<Vec<u8>>,
}

impl Request for DeclarativeManagement {
    const REQUEST_TYPE: &'static str = "DeclarativeManagement";
    const KEYS: &'static [&'static str] = &[DATA];

    fn write(&self, keys: &mut Dictionary) {
        put(keys, DATA, self.data.clone().map(Value::Data));
    }

    fn read(fields: Fields<'_>) -> Result<DeclarativeManagement, Malformed> {
        Ok(DeclarativeManagement { data: fields.data(DATA, 1..=MAX_DATA)? })
    }
}
