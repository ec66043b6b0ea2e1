//! `InstalledApplicationList` (Apple's `mdm/commands/application.installed.list.yaml`; right 256).

use plist::Dictionary;

use super::{Request, put_texts, texts};
use crate::fields::{Fields, Malformed, put};

const IDENTIFIERS: &str = "Identifiers";
const ITEMS: &str = "Items";
const MANAGED_APPS_ONLY: &str = "ManagedAppsOnly";

/// Asks which apps are installed; [`crate::inventory::InstalledApplications`] reads the answer. Under User
/// Enrollment a Mac refuses, and others tell of managed apps only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InstalledApplicationList {
    /// `Identifiers`: only these bundle identifiers; iOS 7, macOS 10.15. Empty asks for all and is not sent.
    pub identifiers: Vec<String>,
    /// `Items`: only these keys of each app, such as `Name` and `BundleSize`; iOS 14, tvOS 14, not macOS.
    /// Empty asks for all and is not sent.
    pub items: Vec<String>,
    /// `ManagedAppsOnly`: iOS 7, macOS 10.15; not sent unless true.
    pub managed_apps_only: bool,
}

impl Request for InstalledApplicationList {
    const REQUEST_TYPE: &'static str = "InstalledApplicationList";
    const KEYS: &'static [&'static str] = &[IDENTIFIERS, ITEMS, MANAGED_APPS_ONLY];

    fn write(&self, keys: &mut Dictionary) {
        put_texts(keys, IDENTIFIERS, &self.identifiers);
        put_texts(keys, ITEMS, &self.items);
        put(keys, MANAGED_APPS_ONLY, self.managed_apps_only.then_some(true));
    }

    fn read(fields: Fields<'_>) -> Result<InstalledApplicationList, Malformed> {
        Ok(InstalledApplicationList {
            identifiers: texts(fields, IDENTIFIERS)?,
            items: texts(fields, ITEMS)?,
            managed_apps_only: fields.boolean(MANAGED_APPS_ONLY)?.unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Command, Envelope};
    use super::*;

    #[test]
    fn what_is_not_asked_for_is_not_sent() {
        let body = Command::from(InstalledApplicationList::default()).encode("c");
        let body = String::from_utf8(body).unwrap();
        assert!(InstalledApplicationList::KEYS.iter().all(|key| !body.contains(key)), "{body}");
    }

    #[test]
    fn identifiers_are_an_array_of_texts() {
        let command = InstalledApplicationList { identifiers: vec!["com.acme".into()], ..Default::default() };
        let body = String::from_utf8(Command::from(command).encode("c")).unwrap();
        let odd = body.replace("<string>com.acme</string>", "<integer>1</integer>");
        let error = Envelope::parse(odd.as_bytes()).unwrap_err();
        assert_eq!(error.cause, Malformed::WrongType { key: IDENTIFIERS, expected: "array of strings" });
    }
}
