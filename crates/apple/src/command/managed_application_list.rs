//! `ManagedApplicationList` (Apple's `mdm/commands/application.managed.list.yaml`; right 4096).

use plist::Dictionary;

use super::{Request, put_texts, texts};
use crate::fields::{Fields, Malformed};

const IDENTIFIERS: &str = "Identifiers";

/// Asks how the managed apps are doing; [`crate::inventory::ManagedApplications`] reads the answer. iOS 5,
/// macOS 11, tvOS 10.2. A state that passes, such as `Failed`, is told once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ManagedApplicationList {
    /// `Identifiers`: only these bundle identifiers; iOS 7. Empty asks for all and is not sent.
    pub identifiers: Vec<String>,
}

impl Request for ManagedApplicationList {
    const REQUEST_TYPE: &'static str = "ManagedApplicationList";
    const KEYS: &'static [&'static str] = &[IDENTIFIERS];

    fn write(&self, keys: &mut Dictionary) {
        put_texts(keys, IDENTIFIERS, &self.identifiers);
    }

    fn read(fields: Fields<'_>) -> Result<ManagedApplicationList, Malformed> {
        texts(fields, IDENTIFIERS).map(|identifiers| ManagedApplicationList { identifiers })
    }
}
