//! The answer to `ManagedApplicationList`.

use plist::Value;
use std::collections::BTreeMap;

use super::{Answers, MAX_APPLICATIONS, MAX_TEXT};
use crate::report::Report;

/// How the managed apps of a device are doing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ManagedApplications {
    /// By bundle identifier, at most 10,000.
    pub applications: BTreeMap<String, ManagedApplication>,
    /// Whether the device told of more than that.
    pub is_cut: bool,
}

/// One managed app, under Apple's names. `None` is unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ManagedApplication {
    /// `Status`, such as `Managed`, `Installing`, `Failed`; cut at 1 KiB. What passes, such as
    /// `UserRejected`, is told once and then no more.
    pub status: Option<String>,
    /// `ManagementFlags`: 1, it goes with the enrollment; 4, it is not backed up.
    pub management_flags: Option<u64>,
    /// `HasConfiguration`: the server has given it one.
    pub has_configuration: Option<bool>,
    /// `HasFeedback` for the server.
    pub has_feedback: Option<bool>,
    /// `IsValidated`: it may run, as far as provisioning profiles go; not macOS.
    pub is_validated: Option<bool>,
    /// `ExternalVersionIdentifier`: the store's number of this version.
    pub external_version_identifier: Option<u64>,
    /// `UnusedRedemptionCode`: bought, but not needed; cut at 1 KiB. Not macOS.
    pub unused_redemption_code: Option<String>,
}

impl ManagedApplications {
    /// Reads what a report answers; `None` if it has no list at all, which is not the same as an empty one.
    pub fn from_report(report: &Report) -> Option<ManagedApplications> {
        let list = report.body.get("ManagedApplicationList")?.as_dictionary()?;
        let named = |identifier: &str| !identifier.is_empty() && identifier.len() <= MAX_TEXT;
        let entries = list.iter().take(MAX_APPLICATIONS).filter(|(identifier, _)| named(identifier));
        let applications =
            entries.map(|(identifier, entry)| (identifier.clone(), ManagedApplication::read(entry)));
        Some(ManagedApplications {
            applications: applications.collect(),
            is_cut: list.len() > MAX_APPLICATIONS,
        })
    }
}

impl ManagedApplication {
    fn read(entry: &Value) -> ManagedApplication {
        let answers = Answers(entry.as_dictionary());
        ManagedApplication {
            status: answers.clipped_text("Status"),
            management_flags: answers.unsigned("ManagementFlags"),
            has_configuration: answers.boolean("HasConfiguration"),
            has_feedback: answers.boolean("HasFeedback"),
            is_validated: answers.boolean("IsValidated"),
            external_version_identifier: answers.unsigned("ExternalVersionIdentifier"),
            unused_redemption_code: answers.clipped_text("UnusedRedemptionCode"),
        }
    }

    /// Whether it is on the device and under management, and not on its way there or away.
    pub fn is_managed(&self) -> bool {
        self.status.as_deref() == Some("Managed")
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{a_report, an_odd_value};
    use super::*;
    use plist::Dictionary;
    use proptest::prelude::*;

    fn listed(list: impl Into<Value>) -> Option<ManagedApplications> {
        ManagedApplications::from_report(&a_report(vec![("ManagedApplicationList", list.into())]))
    }

    fn dictionary(pairs: Vec<(&str, Value)>) -> Value {
        Value::Dictionary(Dictionary::from_iter(pairs))
    }

    #[test]
    fn managed_apps_are_read_by_identifier() {
        let managed = dictionary(vec![
            ("Status", "Managed".into()),
            ("ManagementFlags", 1.into()),
            ("HasConfiguration", true.into()),
            ("HasFeedback", false.into()),
            ("IsValidated", true.into()),
            ("ExternalVersionIdentifier", 871_234_567.into()),
        ]);
        let waiting = dictionary(vec![("Status", "Prompting".into())]);
        let read = listed(dictionary(vec![("com.example.b", managed), ("com.example.a", waiting)])).unwrap();

        let expected = ManagedApplication {
            status: Some("Managed".into()),
            management_flags: Some(1),
            has_configuration: Some(true),
            has_feedback: Some(false),
            is_validated: Some(true),
            external_version_identifier: Some(871_234_567),
            unused_redemption_code: None,
        };
        assert_eq!(read.applications["com.example.b"], expected);
        assert!(read.applications["com.example.b"].is_managed());
        assert!(!read.applications["com.example.a"].is_managed());
        assert_eq!((read.applications.len(), read.is_cut), (2, false));
    }

    #[test]
    fn an_entry_of_the_wrong_type_is_an_app_of_which_nothing_is_known() {
        let read = listed(dictionary(vec![("com.example", "Managed".into())])).unwrap();
        assert_eq!(read.applications["com.example"], ManagedApplication::default());
    }

    #[test]
    fn no_list_is_not_an_empty_list() {
        assert_eq!(ManagedApplications::from_report(&a_report(vec![])), None);
        assert_eq!(listed(Vec::new()), None);
        assert_eq!(listed(Dictionary::new()), Some(ManagedApplications::default()));
    }

    #[test]
    fn identifiers_without_bounds_are_left_out() {
        let long = "x".repeat(1025);
        let read = listed(dictionary(vec![(&long, dictionary(vec![])), ("", dictionary(vec![]))]));
        assert_eq!(read, Some(ManagedApplications::default()));
    }

    #[test]
    fn not_more_than_ten_thousand_apps_are_kept() {
        let app = |number| (format!("com.example.{number}"), dictionary(vec![]));
        let read = listed(Dictionary::from_iter((0..=MAX_APPLICATIONS).map(app))).unwrap();
        assert_eq!((read.applications.len(), read.is_cut), (MAX_APPLICATIONS, true));
    }

    proptest! {
        #[test]
        fn odd_answers_never_panic(
            identifier in ".{0,20}", status in an_odd_value(), flags in an_odd_value(),
            entry in an_odd_value(),
        ) {
            let odd = dictionary(vec![("Status", status), ("ManagementFlags", flags)]);
            let read = listed(dictionary(vec![(&identifier, odd), ("com.example", entry)])).unwrap();
            prop_assert!(read.applications.len() <= 2);
        }
    }
}
