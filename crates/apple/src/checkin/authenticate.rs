//! `Authenticate`: a device installs the MDM payload (Apple's `mdm/checkin/authenticate.yaml`).
//!
//! Not yet an enrollment: later payloads of the profile may still fail. The device is enrolled by its first
//! [`TokenUpdate`](super::TokenUpdate).

use super::{Identifiers, MAX_TEXT, TOPIC, start};
use crate::document::to_xml;
use crate::fields::{Fields, Malformed, put};
use crate::platform::{OsVersion, Platform};

/// The first message of an enrollment. What describes the device is sent only with the access right to query
/// it, and serial number, IMEI and MEID never under User Enrollment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Authenticate {
    /// `Topic`: that of the push certificate; fixed for the life of the enrollment.
    pub topic: String,
    /// Who sent it; never a user.
    pub ids: Identifiers,
    /// `DeviceName`: Macs only.
    pub device_name: Option<String>,
    /// `ModelName`: Macs only, such as `MacBook Pro`.
    pub model_name: Option<String>,
    /// `Model`: Macs only, such as `MacBookPro18,3`.
    pub model: Option<String>,
    /// `OSVersion`, such as `18.1`.
    pub os_version: Option<String>,
    /// `BuildVersion`, such as `22B83`.
    pub build_version: Option<String>,
    /// `ProductName`: such as `iPhone17,2`.
    pub product_name: Option<String>,
    /// `SerialNumber`.
    pub serial_number: Option<String>,
    /// `IMEI`: only phones and tablets with a modem; with or without spaces.
    pub imei: Option<String>,
    /// `MEID`: as [`imei`](Self::imei).
    pub meid: Option<String>,
}

impl Authenticate {
    pub(super) const MESSAGE_TYPE: &'static str = "Authenticate";

    pub(super) fn read(fields: Fields<'_>, ids: Identifiers) -> Result<Authenticate, Malformed> {
        let text = |key| fields.text(key, MAX_TEXT);
        Ok(Authenticate {
            topic: fields.required_text(TOPIC, MAX_TEXT)?,
            ids,
            device_name: text("DeviceName")?,
            model_name: text("ModelName")?,
            model: text("Model")?,
            os_version: text("OSVersion")?,
            build_version: text("BuildVersion")?,
            product_name: text("ProductName")?,
            serial_number: text("SerialNumber")?,
            imei: text("IMEI")?,
            meid: text("MEID")?,
        })
    }

    /// The body that a device would send.
    pub fn encode(&self) -> Vec<u8> {
        let mut dictionary = start(Authenticate::MESSAGE_TYPE, &self.ids);
        dictionary.insert(TOPIC.into(), self.topic.clone().into());
        for (key, value) in [
            ("DeviceName", &self.device_name),
            ("ModelName", &self.model_name),
            ("Model", &self.model),
            ("OSVersion", &self.os_version),
            ("BuildVersion", &self.build_version),
            ("ProductName", &self.product_name),
            ("SerialNumber", &self.serial_number),
            ("IMEI", &self.imei),
            ("MEID", &self.meid),
        ] {
            put(&mut dictionary, key, value.clone());
        }
        to_xml(dictionary)
    }

    /// What kind of device this is, by its product name or model. A device that says nothing of the kind is a
    /// Mac if it uses the keys that only Macs have, and else taken for the iPhone, the family with the fewest
    /// peculiarities.
    pub fn platform(&self) -> Platform {
        let hints = [&self.product_name, &self.model, &self.model_name];
        let said = hints.into_iter().flatten().find_map(|hint| Platform::from_product_name(hint));
        said.unwrap_or(if self.model_name.is_some() { Platform::MacOs } else { Platform::IOs })
    }

    /// The OS version, where the device told one that can be compared.
    pub fn os(&self) -> Option<OsVersion> {
        self.os_version.as_deref().and_then(|version| version.parse().ok())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::a_device;
    use super::super::{CheckIn, Malformed};
    use super::*;
    use proptest::prelude::*;

    fn an_iphone() -> Authenticate {
        Authenticate {
            topic: "com.apple.mgmt.External.1".into(),
            ids: a_device(),
            os_version: Some("18.1".into()),
            product_name: Some("iPhone17,2".into()),
            ..Authenticate::default()
        }
    }

    #[test]
    fn a_topic_is_required() {
        let message = Authenticate { topic: String::new(), ..an_iphone() };
        assert_eq!(CheckIn::parse(&message.encode()), Err(Malformed::Missing { key: "Topic" }));
    }

    #[test]
    fn a_key_of_the_wrong_type_is_named() {
        let body = String::from_utf8(an_iphone().encode()).unwrap();
        let body = body.replace("<string>18.1</string>", "<real>18.1</real>");
        let error = CheckIn::parse(body.as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), "the key OSVersion is not of type string");
    }

    #[test]
    fn no_text_is_longer_than_1024_bytes() {
        let named = |length| Authenticate { device_name: Some("n".repeat(length)), ..an_iphone() }.encode();
        assert!(CheckIn::parse(&named(1024)).is_ok());
        assert!(matches!(CheckIn::parse(&named(1025)), Err(Malformed::Invalid { key: "DeviceName", .. })));
    }

    #[test]
    fn the_platform_is_told_by_the_product_or_the_model() {
        let of = |product: Option<&str>, model: Option<&str>, model_name: Option<&str>| {
            let own = |text: Option<&str>| text.map(str::to_owned);
            Authenticate {
                product_name: own(product),
                model: own(model),
                model_name: own(model_name),
                ..Authenticate::default()
            }
            .platform()
        };
        assert_eq!(of(Some("iPad14,3"), None, None), Platform::IPadOs);
        assert_eq!(of(None, Some("MacBookPro18,3"), Some("MacBook Pro")), Platform::MacOs);
        assert_eq!(of(Some("Mac15,3"), Some("Z1"), None), Platform::MacOs);
        assert_eq!(of(None, None, Some("a new kind of computer")), Platform::MacOs);
        assert_eq!(of(None, None, None), Platform::IOs);
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_read_back(
            topic in "[a-zA-Z0-9.-]{1,40}",
            texts in proptest::collection::vec(proptest::option::of("[^\\p{C}]{1,40}"), 9),
        ) {
            let mut texts = texts.into_iter();
            let mut next = || texts.next().flatten();
            let message = Authenticate {
                topic, ids: a_device(),
                device_name: next(), model_name: next(), model: next(), os_version: next(),
                build_version: next(), product_name: next(), serial_number: next(), imei: next(),
                meid: next(),
            };
            prop_assert_eq!(CheckIn::parse(&message.encode()), Ok(CheckIn::Authenticate(message)));
        }
    }
}
