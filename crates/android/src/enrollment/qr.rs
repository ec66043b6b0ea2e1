//! How a token reaches a device: the text of a QR code, the same for zero-touch and Knox, and a link.

use serde::Serialize;
use serde_json::{Map, Value};

/// Google's application that carries out what Google says.
pub const ADMIN_COMPONENT: &str = "com.google.android.apps.work.clouddpc/.receivers.CloudDeviceAdminReceiver";
/// By whom that application is signed.
pub const SIGNATURE_CHECKSUM: &str = "I5YvS0O5hXY46mb01BlRjq4oJJGs2kuUcHvVkAPEXlg";
/// Where a new device gets it from.
pub const PACKAGE_URL: &str = "https://play.google.com/managed/downloadManagingApp?identifier=setup";

const EXTRA: &str = "android.app.extra.PROVISIONING_";
const BUNDLE: &str = "ADMIN_EXTRAS_BUNDLE";
const TOKEN: &str = "com.google.android.apps.work.clouddpc.EXTRA_ENROLLMENT_TOKEN";

/// How a Wi-Fi network is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum WifiSecurity {
    /// WPA and its successors.
    Wpa,
    /// Long broken.
    Wep,
    /// Not at all.
    None,
}

/// The network that a new device uses to set itself up.
#[derive(Clone, PartialEq, Eq)]
pub struct Wifi {
    /// The network's name.
    pub ssid: String,
    /// Its protection.
    pub security: WifiSecurity,
    /// Its password; whoever sees the code can read it.
    pub password: Option<String>,
    /// The network does not say its name.
    pub hidden: bool,
}

impl std::fmt::Debug for Wifi {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wifi").field("ssid", &self.ssid).finish_non_exhaustive()
    }
}

/// What a new device is told besides its token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Provisioning {
    /// The network to use.
    pub wifi: Option<Wifi>,
    /// Such as `de_DE`.
    pub locale: Option<String>,
    /// Such as `Europe/Berlin`.
    pub time_zone: Option<String>,
    /// Keep the applications that came with the device.
    pub leave_all_system_apps_enabled: bool,
    /// Leave out the pages that explain.
    pub skip_education_screens: bool,
}

impl Provisioning {
    /// The text of a QR code for a token's secret value.
    pub fn qr_text(&self, token: &str) -> String {
        Value::Object(self.extras(token)).to_string()
    }

    /// The same as an object: the DPC extras of zero-touch, and Knox' custom JSON.
    pub fn extras(&self, token: &str) -> Map<String, Value> {
        let mut extras = Map::new();
        let mut add = |name: &str, value: Value| extras.insert(format!("{EXTRA}{name}"), value);
        add("DEVICE_ADMIN_COMPONENT_NAME", ADMIN_COMPONENT.into());
        add("DEVICE_ADMIN_SIGNATURE_CHECKSUM", SIGNATURE_CHECKSUM.into());
        add("DEVICE_ADMIN_PACKAGE_DOWNLOAD_LOCATION", PACKAGE_URL.into());
        add(BUNDLE, Value::Object(Map::from_iter([(TOKEN.to_owned(), token.into())])));
        extras.append(&mut self.wishes());
        extras
    }

    fn wishes(&self) -> Map<String, Value> {
        let mut extras = Map::new();
        let mut add = |name: &str, value: Value| extras.insert(format!("{EXTRA}{name}"), value);
        if let Some(wifi) = &self.wifi {
            add("WIFI_SSID", wifi.ssid.as_str().into());
            add("WIFI_SECURITY_TYPE", wifi.security.word().into());
            wifi.password.as_deref().map(|password| add("WIFI_PASSWORD", password.into()));
            wifi.hidden.then(|| add("WIFI_HIDDEN", true.into()));
        }
        self.locale.as_deref().map(|locale| add("LOCALE", locale.into()));
        self.time_zone.as_deref().map(|zone| add("TIME_ZONE", zone.into()));
        self.leave_all_system_apps_enabled.then(|| add("LEAVE_ALL_SYSTEM_APPS_ENABLED", true.into()));
        self.skip_education_screens.then(|| add("SKIP_EDUCATION_SCREENS", true.into()));
        extras
    }
}

impl WifiSecurity {
    fn word(self) -> &'static str {
        match self {
            Self::Wpa => "WPA",
            Self::Wep => "WEP",
            Self::None => "NONE",
        }
    }
}

/// The link that makes a work profile on a personal device; holds the secret value.
pub fn enrollment_link(token: &str) -> String {
    let safe = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let mut link = "https://enterprise.google.com/android/enroll?et=".to_owned();
    for byte in token.bytes() {
        if safe(byte) {
            link.push(char::from(byte));
        } else {
            link.push_str(&format!("%{byte:02X}"));
        }
    }
    link
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_qr_code_holds_googles_application_and_the_token() {
        let text = Provisioning::default().qr_text("TOKEN");
        let expected = json!({
            "android.app.extra.PROVISIONING_DEVICE_ADMIN_COMPONENT_NAME":
                "com.google.android.apps.work.clouddpc/.receivers.CloudDeviceAdminReceiver",
            "android.app.extra.PROVISIONING_DEVICE_ADMIN_SIGNATURE_CHECKSUM":
                "I5YvS0O5hXY46mb01BlRjq4oJJGs2kuUcHvVkAPEXlg",
            "android.app.extra.PROVISIONING_DEVICE_ADMIN_PACKAGE_DOWNLOAD_LOCATION":
                "https://play.google.com/managed/downloadManagingApp?identifier=setup",
            "android.app.extra.PROVISIONING_ADMIN_EXTRAS_BUNDLE":
                {"com.google.android.apps.work.clouddpc.EXTRA_ENROLLMENT_TOKEN": "TOKEN"},
        });
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), expected);
    }

    #[test]
    fn wishes_are_added_under_androids_names() {
        let wifi = Wifi {
            ssid: "Office".to_owned(),
            security: WifiSecurity::Wpa,
            password: Some("secret".to_owned()),
            hidden: true,
        };
        assert!(!format!("{wifi:?}").contains("secret"));
        let provisioning = Provisioning {
            wifi: Some(wifi),
            locale: Some("de_DE".to_owned()),
            time_zone: Some("Europe/Berlin".to_owned()),
            leave_all_system_apps_enabled: true,
            skip_education_screens: true,
        };
        let extras = provisioning.extras("T");
        let extra = |name: &str| extras[&format!("{EXTRA}{name}")].clone();
        assert_eq!(extra("WIFI_SSID"), "Office");
        assert_eq!(extra("WIFI_SECURITY_TYPE"), "WPA");
        assert_eq!(extra("WIFI_PASSWORD"), "secret");
        assert_eq!(extra("WIFI_HIDDEN"), true);
        assert_eq!((extra("LOCALE"), extra("TIME_ZONE")), (json!("de_DE"), json!("Europe/Berlin")));
        assert_eq!(extras.len(), 4 + 8);
    }

    #[test]
    fn a_link_escapes_what_is_no_plain_character() {
        assert_eq!(
            enrollment_link("AB-1&x=ä"),
            "https://enterprise.google.com/android/enroll?et=AB-1%26x%3D%C3%A4"
        );
    }
}
