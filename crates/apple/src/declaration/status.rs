//! What a device reports of itself unasked (Apple's `declarative/protocol/statusreport.yaml`).

use serde_json::{Map, Value};

use super::object;
use crate::fields::Malformed;

const STATUS_ITEMS: &str = "StatusItems";
const MAX_TEXT: usize = 1024;
const MAX_REFUSED: usize = 100;

/// A report: the items that changed, or all of them. Items that it does not understand do a report no harm.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StatusReport {
    items: Map<String, Value>,
    /// `FullReport`: what is not in it is not so any more.
    pub full: bool,
    /// `Errors`: items that the device could not report, at most 100, with the code of the first reason.
    pub errors: Vec<(String, String)>,
}

/// A declaration that a device does not carry out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedDeclaration {
    /// Its `Identifier`.
    pub identifier: String,
    /// Apple's code of the first reason, such as `Error.ConfigurationNotSupported`.
    pub reason: String,
}

impl StatusReport {
    /// Reads the `Data` of a status message, at most 1 MiB.
    ///
    /// # Errors
    /// [`Malformed`] where it is no JSON or has no items.
    pub fn parse(bytes: &[u8]) -> Result<StatusReport, Malformed> {
        let mut document = object(bytes)?;
        let items = match document.remove(STATUS_ITEMS) {
            Some(Value::Object(items)) => items,
            Some(_) => return Err(Malformed::WrongType { key: STATUS_ITEMS, expected: "dictionary" }),
            None => return Err(Malformed::Missing { key: STATUS_ITEMS }),
        };
        let full = document.get("FullReport").and_then(Value::as_bool).unwrap_or_default();
        let errors = document.get("Errors").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        Ok(StatusReport { items, full, errors: errors.iter().take(MAX_REFUSED).filter_map(error).collect() })
    }

    /// The item of this name, whose words are the steps into the report: `device.operating-system.version`.
    pub fn item(&self, name: &str) -> Option<&Value> {
        let mut words = name.split('.');
        let first = self.items.get(words.next()?)?;
        words.try_fold(first, |value, word| value.as_object()?.get(word))
    }

    /// The same, where it is a text of 1 to 1024 bytes.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.item(name)?.as_str().filter(|text| (1..=MAX_TEXT).contains(&text.len()))
    }

    /// The same, where it is true or false.
    pub fn boolean(&self, name: &str) -> Option<bool> {
        self.item(name)?.as_bool()
    }

    /// The declarations that `management.declarations` calls invalid, at most 100; `None` where the report says
    /// nothing of declarations.
    pub fn refused(&self) -> Option<Vec<RefusedDeclaration>> {
        let lists = self.item("management.declarations")?.as_object()?;
        let declarations = lists.values().filter_map(Value::as_array).flatten().filter_map(Value::as_object);
        let refused = declarations.filter(|it| it.get("valid").and_then(Value::as_str) == Some("invalid"));
        Some(refused.take(MAX_REFUSED).filter_map(refused_declaration).collect())
    }
}

fn refused_declaration(declaration: &Map<String, Value>) -> Option<RefusedDeclaration> {
    let identifier = clipped(declaration.get("identifier")?.as_str()?);
    Some(RefusedDeclaration { identifier, reason: first_reason(declaration) })
}

fn error(error: &Value) -> Option<(String, String)> {
    let error = error.as_object()?;
    Some((clipped(error.get("StatusItem")?.as_str()?), first_reason(error)))
}

/// The code of the first reason, in either of the spellings that devices use.
fn first_reason(document: &Map<String, Value>) -> String {
    let reasons = document.get("reasons").or_else(|| document.get("Reasons"));
    let first = reasons.and_then(Value::as_array).and_then(|reasons| reasons.first());
    let code = first.and_then(|reason| reason.get("code").or_else(|| reason.get("Code")));
    code.and_then(Value::as_str).map(clipped).unwrap_or_default()
}

/// The beginning of a text, without what is no text.
fn clipped(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(128).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const REPORT: &str = r#"{
        "StatusItems": {
            "device": {
                "operating-system": { "version": "18.2", "build-version": "22C152", "supplemental": {} },
                "model": { "identifier": 7 }
            },
            "passcode": { "is-present": true },
            "management": { "declarations": {
                "activations": [{ "identifier": "good", "active": true, "valid": "valid" }],
                "configurations": [
                    { "identifier": "bad", "active": false, "valid": "invalid",
                      "reasons": [{ "code": "Error.ConfigurationNotSupported" }] },
                    { "valid": "invalid" }, 5
                ],
                "assets": "none"
            } }
        },
        "Errors": [{ "StatusItem": "device.power.battery-health", "Reasons": [{ "Code": "Error.Unknown" }] }, "x"]
    }"#;

    #[test]
    fn items_are_found_by_the_words_of_their_names() {
        let report = StatusReport::parse(REPORT.as_bytes()).unwrap();
        assert_eq!(report.text("device.operating-system.version"), Some("18.2"));
        assert_eq!(report.boolean("passcode.is-present"), Some(true));
        assert_eq!(report.text("device.model.identifier"), None, "it is a number");
        assert_eq!(report.item("device.model.marketing-name"), None);
        assert_eq!(report.item("device.operating-system.version.more"), None);
        assert_eq!(report.item(""), None);
    }

    #[test]
    fn what_a_device_refuses_has_its_reason() {
        let report = StatusReport::parse(REPORT.as_bytes()).unwrap();
        let bad =
            RefusedDeclaration { identifier: "bad".into(), reason: "Error.ConfigurationNotSupported".into() };
        assert_eq!(report.refused(), Some(vec![bad]));
        assert_eq!(report.errors, [("device.power.battery-health".into(), "Error.Unknown".into())]);
        let silent = StatusReport::parse(br#"{"StatusItems":{},"FullReport":true}"#).unwrap();
        assert_eq!((silent.refused(), silent.full), (None, true));
    }

    #[test]
    fn a_report_without_items_is_no_report() {
        for broken in ["", "[]", "{", r#"{"Errors":[]}"#, r#"{"StatusItems":[]}"#, "{\"a\":"] {
            assert!(StatusReport::parse(broken.as_bytes()).is_err(), "{broken}");
        }
        let many = vec![r#"{"StatusItem":"a"}"#; 5_000].join(",");
        let many = format!(r#"{{"StatusItems":{{}},"Errors":[{many}]}}"#);
        assert_eq!(StatusReport::parse(many.as_bytes()).unwrap().errors.len(), 100);
    }

    proptest! {
        #[test]
        fn mutated_reports_never_panic(at in any::<proptest::sample::Index>(), byte in any::<u8>()) {
            let mut bytes = REPORT.as_bytes().to_vec();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            if let Ok(report) = StatusReport::parse(&bytes) {
                let _ = (report.refused(), report.text("device.operating-system.version"));
            }
        }
    }
}
