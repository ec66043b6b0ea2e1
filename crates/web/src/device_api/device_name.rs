//! The three ways of naming a device in a request.

use domain::{DeviceId, DeviceName};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    error::{ErrorCode, Failure},
    fields::Scalar,
};
use crate::identifiers;

/// The longest serial number or IMEI that is looked up, bytes.
const LONGEST: usize = 64;

/// The fields that name a device: one of them is needed.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub(super) struct NamedDevice {
    /// The device's id, 32 hex digits; counts before the other two.
    #[schema(value_type = Option<String>, example = "e60cf0e25e63430694441870c27a8b42")]
    clientid: Scalar,
    /// Any of its IMEIs; spaces and hyphens in it do not count. Counts before the serial number.
    #[schema(value_type = Option<String>, example = "357351093108963")]
    imei: Scalar,
    /// Its serial number.
    #[schema(value_type = Option<String>, example = "F71XL2HZKXK7")]
    serialnumber: Scalar,
}

impl NamedDevice {
    /// The one name that counts; an empty one is none, and one that no device can have names a device that is not there.
    pub(super) fn name(self) -> Result<DeviceName, Failure> {
        let fields = (
            self.clientid.text("clientid")?,
            self.imei.text("imei")?,
            self.serialnumber.text("serialnumber")?,
        );
        let given =
            |text: Option<String>| text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        let name = match (given(fields.0), given(fields.1), given(fields.2)) {
            (Some(id), ..) => identifiers::uuid(&id).map(|id| DeviceName::Id(DeviceId(id))),
            (None, Some(imei), _) => digits(&imei).map(DeviceName::Imei),
            (None, None, Some(serial)) => {
                Some(serial).filter(|it| it.len() <= LONGEST).map(DeviceName::SerialNumber)
            }
            (None, None, None) => return Err(Failure::new(ErrorCode::DeviceNotNamed)),
        };
        name.ok_or(Failure::new(ErrorCode::DeviceNotFound))
    }
}

/// An IMEI without spaces and hyphens; `None` if it has anything else than digits.
fn digits(imei: &str) -> Option<String> {
    let digits: String = imei.chars().filter(|letter| !matches!(letter, ' ' | '-')).collect();
    let sound = (1..=LONGEST).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit());
    sound.then_some(digits)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::fields::parse, *};

    fn name(body: &str) -> Result<DeviceName, ErrorCode> {
        parse::<NamedDevice>(body.as_bytes()).unwrap().name().map_err(|failure| failure.code)
    }

    fn id() -> DeviceName {
        DeviceName::Id("e60cf0e2-5e63-4306-9444-1870c27a8b42".parse().unwrap())
    }

    #[test]
    fn a_client_id_is_read_with_hyphens_and_in_capitals() {
        for text in [
            "e60cf0e25e63430694441870c27a8b42",
            "E60CF0E25E63430694441870C27A8B42",
            "e60cf0e2-5e63-4306-9444-1870C27A8B42",
        ] {
            assert_eq!(name(&format!(r#"{{"clientid":"{text}"}}"#)), Ok(id()), "{text}");
        }
    }

    #[test]
    fn an_imei_is_read_without_spaces_and_hyphens() {
        let imei = DeviceName::Imei("357351093108963".into());
        assert_eq!(name(r#"{"imei":"35 735109-310896-3"}"#), Ok(imei));
    }

    #[test]
    fn the_client_id_counts_before_the_imei_and_that_before_the_serial_number() {
        let all = r#"{"serialnumber":"F71","imei":"35","clientid":"e60cf0e25e63430694441870c27a8b42"}"#;
        assert_eq!(name(all), Ok(id()));
        assert_eq!(name(r#"{"serialnumber":"F71","imei":"35"}"#), Ok(DeviceName::Imei("35".into())));
        assert_eq!(
            name(r#"{"serialnumber":" F71 ","imei":"","clientid":null}"#),
            Ok(DeviceName::SerialNumber("F71".into()))
        );
    }

    #[test]
    fn a_name_that_no_device_can_have_is_not_found_even_beside_a_good_one() {
        for body in [r#"{"clientid":"my phone","imei":"35"}"#, r#"{"imei":"35x"}"#, r#"{"imei":"--"}"#] {
            assert_eq!(name(body), Err(ErrorCode::DeviceNotFound), "{body}");
        }
        let long = format!(r#"{{"serialnumber":"{}"}}"#, "F".repeat(LONGEST + 1));
        assert_eq!(name(&long), Err(ErrorCode::DeviceNotFound));
    }

    #[test]
    fn without_a_name_the_request_makes_no_sense() {
        for body in ["{}", r#"{"clientid":""}"#, r#"{"clientid":" ","imei":null}"#] {
            assert_eq!(name(body), Err(ErrorCode::DeviceNotNamed), "{body}");
        }
        assert_eq!(name(r#"{"imei":357351093108963}"#), Err(ErrorCode::InvalidField));
    }

    proptest! {
        #[test]
        fn any_text_names_a_device_or_none(clientid in ".*", imei in ".*", serial in ".*") {
            let body = serde_json::json!({ "clientid": clientid, "imei": imei, "serialnumber": serial });
            let _ = name(&body.to_string());
        }
    }
}
