//! What a device tells of itself: what it may be asked, and how its answers are read.
//!
//! Answers are read leniently: a value of the wrong type or out of bounds is as good as none, because one odd
//! value must not hide the others.

mod device_information;
mod queries;
mod security_info;

pub use device_information::{DeviceInformation, ServiceSubscription};
pub use queries::{EnrollmentKind, queries_for, queries_of};
pub use security_info::{ManagementStatus, SecurityInfo};

use plist::{Dictionary, Value};

/// No text of an answer is longer than this, in bytes.
const MAX_TEXT: usize = 1024;

/// The keys of an answer; where the answer is missing, none.
#[derive(Clone, Copy)]
struct Answers<'a>(Option<&'a Dictionary>);

impl<'a> Answers<'a> {
    fn text(self, key: &str) -> Option<String> {
        let text = self.value(key)?.as_string()?.trim();
        (!text.is_empty() && text.len() <= MAX_TEXT).then(|| text.to_owned())
    }

    fn boolean(self, key: &str) -> Option<bool> {
        self.value(key)?.as_boolean()
    }

    fn integer(self, key: &str) -> Option<i64> {
        self.value(key)?.as_signed_integer()
    }

    /// A finite number that is not negative, written as a real or as an integer.
    fn number(self, key: &str) -> Option<f64> {
        let value = self.value(key)?;
        let number = value.as_real().or_else(|| value.as_unsigned_integer().map(|number| number as f64));
        number.filter(|number| number.is_finite() && *number >= 0.0)
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
