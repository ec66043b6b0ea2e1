//! The apps on a device: plausible ones, and the same for the same device.

use aws_lc_rs::digest::{SHA256, digest};

use super::DeviceModel;

const MEGABYTE: u64 = 1_000_000;

/// What most have: identifier, name, version that people see.
type Product = (&'static str, &'static str, &'static str);

/// The first few come from the server.
const MANAGED: usize = 3;

const MOBILE: [Product; 14] = [
    ("com.microsoft.Office.Outlook", "Outlook", "4.2441.0"),
    ("com.microsoft.skype.teams", "Teams", "6.19.1"),
    ("com.tinyspeck.chatlyio", "Slack", "24.10.20"),
    ("com.apple.Keynote", "Keynote", "14.2"),
    ("com.apple.Numbers", "Numbers", "14.2"),
    ("com.apple.Pages", "Pages", "14.2"),
    ("com.apple.mobilegarageband", "GarageBand", "2.3.16"),
    ("com.google.Maps", "Google Maps", "24.43.0"),
    ("com.google.chrome.ios", "Chrome", "130.0.6723.90"),
    ("com.spotify.client", "Spotify", "8.9.86"),
    ("net.whatsapp.WhatsApp", "WhatsApp", "24.21.81"),
    ("org.mozilla.ios.Firefox", "Firefox", "131.2"),
    ("org.whispersystems.signal", "Signal", "7.36"),
    ("us.zoom.videomeetings", "Zoom", "6.2.5"),
];

/// The last one has no identifier, as old programs of a Mac have none.
const MAC: [Product; 13] = [
    ("com.microsoft.Outlook", "Microsoft Outlook", "16.90"),
    ("com.microsoft.teams2", "Microsoft Teams", "24295.605"),
    ("com.tinyspeck.slackmacgap", "Slack", "4.41.97"),
    ("com.apple.Safari", "Safari", "18.1"),
    ("com.apple.TextEdit", "TextEdit", "1.20"),
    ("com.apple.Terminal", "Terminal", "2.14"),
    ("com.apple.iCal", "Calendar", "15.0"),
    ("com.apple.mail", "Mail", "16.0"),
    ("com.apple.systempreferences", "System Settings", "15.0"),
    ("com.google.Chrome", "Google Chrome", "130.0.6723.92"),
    ("org.mozilla.firefox", "Firefox", "132.0"),
    ("us.zoom.xos", "zoom.us", "6.2.5"),
    ("", "Printer Setup", "2.0.1"),
];

/// One app on a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    /// `Identifier`; empty for what has none.
    pub identifier: String,
    /// `Name`.
    pub name: String,
    /// `Version`: the build.
    pub version: String,
    /// `ShortVersion`: the one that people see.
    pub short_version: String,
    /// `BundleSize` in bytes.
    pub bundle_size: u64,
    /// `DynamicSize` in bytes.
    pub dynamic_size: u64,
    /// `ExternalVersionIdentifier`.
    pub external_version_identifier: u64,
    /// `Installing`: on its way only.
    pub installing: bool,
    /// Whether the server manages it.
    pub managed: bool,
}

impl DeviceModel {
    /// The apps that are on it: what [`applications`](Self::applications) says, or those that it left the
    /// shop with.
    pub fn installed_applications(&self) -> Vec<Application> {
        if let Some(applications) = &self.applications {
            return applications.clone();
        }
        let products: &[Product] = if self.is_mac() { &MAC } else { &MOBILE };
        let all = products.iter().enumerate().map(|(place, product)| (place, *product, self.seed(product)));
        // The managed ones and the last one are on all, of the others about two of three.
        let kept =
            all.filter(|(place, _, seed)| *place < MANAGED || *place + 1 == products.len() || seed % 3 != 0);
        kept.map(|(place, product, seed)| application(product, place < MANAGED, seed)).collect()
    }

    fn seed(&self, (_, name, _): &Product) -> u64 {
        let digest = digest(&SHA256, format!("{}|{name}", self.serial_number).as_bytes());
        digest.as_ref().iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
    }
}

fn application((identifier, name, version): Product, managed: bool, seed: u64) -> Application {
    Application {
        identifier: identifier.into(),
        name: name.into(),
        version: format!("{version}.{}", seed % 100),
        short_version: version.into(),
        bundle_size: (20 + seed % 400) * MEGABYTE + seed % 4096 * 512,
        dynamic_size: seed / 400 % 2_000 * MEGABYTE,
        external_version_identifier: 860_000_000 + seed % 9_999_999,
        installing: false,
        managed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn the_same_device_has_the_same_apps_and_others_have_others() {
        let apps = |seed| DeviceModel::iphone(seed).installed_applications();
        assert_eq!(apps(1), apps(1));
        assert!((2..20).any(|seed| apps(seed).len() != apps(1).len()));
    }

    #[test]
    fn every_device_has_a_few_managed_apps_and_no_app_twice() {
        for model in (0..30).map(DeviceModel::nth) {
            let apps = model.installed_applications();
            assert_eq!(apps.iter().filter(|app| app.managed).count(), MANAGED);
            let identifiers: HashSet<_> = apps.iter().map(|app| &app.identifier).collect();
            assert_eq!(identifiers.len(), apps.len());
            assert!(apps.len() > MANAGED);
        }
    }

    #[test]
    fn a_mac_has_other_apps_than_an_iphone_one_of_them_nameless_to_machines() {
        let has = |model: DeviceModel, name: &str| {
            model.installed_applications().iter().any(|app| app.identifier == name)
        };
        assert!(has(DeviceModel::mac(0), "") && !has(DeviceModel::iphone(0), ""));
        assert!(has(DeviceModel::iphone(0), "com.microsoft.Office.Outlook"));
    }

    #[test]
    fn what_a_test_installs_is_what_is_there() {
        let none = DeviceModel { applications: Some(Vec::new()), ..DeviceModel::mac(0) };
        assert!(none.installed_applications().is_empty());
    }
}
