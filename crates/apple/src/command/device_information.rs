//! `DeviceInformation` (Apple's `mdm/commands/information.device.yaml`; each query needs its own right).

use plist::{Dictionary, Value};

use super::{Request, texts};
use crate::fields::{Fields, Malformed};

const QUERIES: &str = "Queries";

/// Asks for properties of the device; [`crate::inventory::queries_for`] knows which ones an OS still answers,
/// and [`crate::inventory::DeviceInformation`] reads the answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeviceInformation {
    /// The names of the properties, at least one.
    pub queries: Vec<String>,
}

impl Request for DeviceInformation {
    const REQUEST_TYPE: &'static str = "DeviceInformation";
    const KEYS: &'static [&'static str] = &[QUERIES];

    fn write(&self, keys: &mut Dictionary) {
        let queries = self.queries.iter().map(|query| Value::from(query.as_str())).collect();
        keys.insert(QUERIES.into(), Value::Array(queries));
    }

    fn read(fields: Fields<'_>) -> Result<DeviceInformation, Malformed> {
        if fields.required_array(QUERIES)?.is_empty() {
            return Err(Malformed::Invalid { key: QUERIES, rule: "is empty" });
        }
        texts(fields, QUERIES).map(|queries| DeviceInformation { queries })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Command, Envelope};
    use super::*;

    #[test]
    fn queries_are_an_array_of_names() {
        let command = Command::from(DeviceInformation { queries: vec!["UDID".into(), "OSVersion".into()] });
        let body = String::from_utf8(command.encode("c")).unwrap();
        assert!(Envelope::parse(body.as_bytes()).is_ok());
        let number = body.replace("<string>UDID</string>", "<integer>1</integer>");
        assert!(matches!(
            Envelope::parse(number.as_bytes()).unwrap_err().cause,
            Malformed::WrongType { key: "Queries", .. }
        ));
    }

    #[test]
    fn no_query_at_all_is_refused() {
        let nothing = Command::from(DeviceInformation::default()).encode("c");
        let error = Envelope::parse(&nothing).unwrap_err();
        assert_eq!(error.cause, Malformed::Invalid { key: "Queries", rule: "is empty" });
    }
}
