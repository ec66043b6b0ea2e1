//! What a device tells of itself: what it may be asked, and how its answers are read.
//!
//! Answers are read leniently: a value of the wrong type or out of bounds is as good as none, because one odd
//! value must not hide the others.

mod device_information;
mod device_location;
mod installed_applications;
mod managed_applications;
mod queries;
mod security_info;

pub use device_information::{DeviceInformation, ServiceSubscription};
pub use device_location::DeviceLocationReport;
pub use installed_applications::{InstalledApplication, InstalledApplications};
pub use managed_applications::{ManagedApplication, ManagedApplications};
pub use queries::{EnrollmentKind, queries_for, queries_of};
pub use security_info::{ManagementStatus, SecurityInfo};

use plist::{Dictionary, Value};

/// No text of an answer is longer than this, in bytes.
const MAX_TEXT: usize = 1024;
/// Of no list more apps are read than this.
const MAX_APPLICATIONS: usize = 10_000;

/// The keys of an answer; where the answer is missing, none.
#[derive(Clone, Copy)]
struct Answers<'a>(Option<&'a Dictionary>);

impl<'a> Answers<'a> {
    fn text(self, key: &str) -> Option<String> {
        let text = self.value(key)?.as_string()?.trim();
        (!text.is_empty() && text.len() <= MAX_TEXT).then(|| text.to_owned())
    }

    /// As [`text`](Self::text), but of a long one the beginning.
    fn clipped_text(self, key: &str) -> Option<String> {
        let text = self.value(key)?.as_string()?.trim();
        let text = text[..text.floor_char_boundary(MAX_TEXT)].trim_end();
        (!text.is_empty()).then(|| text.to_owned())
    }

    fn boolean(self, key: &str) -> Option<bool> {
        self.value(key)?.as_boolean()
    }

    fn integer(self, key: &str) -> Option<i64> {
        self.value(key)?.as_signed_integer()
    }

    fn unsigned(self, key: &str) -> Option<u64> {
        self.value(key)?.as_unsigned_integer()
    }

    /// A finite number, written as a real or as an integer.
    fn real(self, key: &str) -> Option<f64> {
        let value = self.value(key)?;
        let integer = || value.as_signed_integer().map(|number| number as f64);
        value.as_real().or_else(integer).filter(|number| number.is_finite())
    }

    /// A finite number that is not negative, written as a real or as an integer.
    fn number(self, key: &str) -> Option<f64> {
        self.real(key).filter(|number| *number >= 0.0)
    }

    fn inner(self, key: &str) -> Answers<'a> {
        Answers(self.value(key).and_then(Value::as_dictionary))
    }

    fn inner_list(self, key: &str) -> impl Iterator<Item = Answers<'a>> {
        let items = self.value(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        items.iter().filter_map(Value::as_dictionary).map(|dictionary| Answers(Some(dictionary)))
    }

    fn value(self, key: &str) -> Option<&'a Value> {
        self.0?.get(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Identifiers, Report};
    use proptest::prelude::*;

    /// A report with these answers, as it arrives.
    pub(super) fn a_report(answers: Vec<(&str, Value)>) -> Report {
        let ids = Identifiers { udid: Some("U".into()), ..Identifiers::default() };
        let report = Report::acknowledged(ids, "c");
        let report = answers.into_iter().fold(report, |report, (key, value)| report.with(key, value));
        Report::parse(&report.encode()).unwrap()
    }

    /// What a device that is broken or hostile may put anywhere.
    pub(super) fn an_odd_value() -> impl Strategy<Value = Value> {
        prop_oneof![
            "[^\\p{C}]{0,20}".prop_map(Value::from),
            "[0-9TZ:.+-]{0,30}".prop_map(Value::from),
            Just(Value::from("é".repeat(700))),
            any::<f64>().prop_map(Value::Real),
            any::<u64>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<bool>().prop_map(Value::from),
            proptest::collection::vec(any::<u8>(), 0..20).prop_map(Value::Data),
            Just(Value::Array(vec![Value::Dictionary(Dictionary::new()), Value::from(1)])),
            Just(Value::Dictionary(Dictionary::from_iter([("Status", "Managed")]))),
        ]
    }
}
