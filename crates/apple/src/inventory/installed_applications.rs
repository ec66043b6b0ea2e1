//! The answer to `InstalledApplicationList`.

use super::{Answers, MAX_APPLICATIONS};
use crate::report::Report;

/// The apps that a device says are on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InstalledApplications {
    /// In the device's order, at most 10,000.
    pub applications: Vec<InstalledApplication>,
    /// Whether the device told of more than that.
    pub is_cut: bool,
}

/// One app, under Apple's names. `None` is unknown: which keys come depends on OS, on
/// [`InstalledApplicationList::items`](crate::command::InstalledApplicationList::items), and on the app.
/// Texts are cut at 1 KiB.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InstalledApplication {
    /// `Identifier`: the bundle identifier. Some apps of a Mac have none.
    pub identifier: Option<String>,
    /// `Name`.
    pub name: Option<String>,
    /// `Version`, such as `1843.2`.
    pub version: Option<String>,
    /// `ShortVersion`, such as `18.4`: the one that people see.
    pub short_version: Option<String>,
    /// `ExternalVersionIdentifier`: the store's number of this version.
    pub external_version_identifier: Option<u64>,
    /// `DistributorIdentifier`: who distributes it, where that is not the App Store; iOS 17.4.
    pub distributor_identifier: Option<String>,
    /// `Source` of the app, such as `Declarative Device Management`; iOS 17.2.
    pub source: Option<String>,
    /// `BundleSize` in bytes.
    pub bundle_size: Option<u64>,
    /// `DynamicSize`: of its documents and other data, in bytes; not macOS.
    pub dynamic_size: Option<u64>,
    /// `Installing`: it is not there yet.
    pub installing: Option<bool>,
    /// `DownloadFailed`.
    pub download_failed: Option<bool>,
    /// `DownloadWaiting`: for others to finish.
    pub download_waiting: Option<bool>,
    /// `DownloadPaused`, by the user.
    pub download_paused: Option<bool>,
    /// `DownloadCancelled`, by the user.
    pub download_cancelled: Option<bool>,
    /// `IsValidated`: it may run, as far as provisioning profiles go; not macOS.
    pub is_validated: Option<bool>,
    /// `HasUpdateAvailable`: its store has a newer one.
    pub has_update_available: Option<bool>,
    /// `AppStoreVendable`: the store knows it; not macOS.
    pub app_store_vendable: Option<bool>,
    /// `DeviceBasedVPP`: licensed to the device, with no need of an Apple Account; not macOS.
    pub device_based_vpp: Option<bool>,
    /// `BetaApp`: from TestFlight; not macOS.
    pub beta_app: Option<bool>,
    /// `AdHocCodeSigned`; not macOS.
    pub ad_hoc_code_signed: Option<bool>,
    /// `IsAppClip`; iOS 16.
    pub is_app_clip: Option<bool>,
}

impl InstalledApplications {
    /// Reads what a report answers; `None` if it has no list at all, which is not the same as an empty one.
    /// Entries that name no app are left out.
    pub fn from_report(report: &Report) -> Option<InstalledApplications> {
        let list = report.body.get("InstalledApplicationList")?.as_array()?;
        let entries = list.iter().take(MAX_APPLICATIONS).filter_map(plist::Value::as_dictionary);
        let applications = entries.map(|entry| InstalledApplication::read(Answers(Some(entry))));
        Some(InstalledApplications {
            applications: applications.filter(|app| app.identifier.is_some() || app.name.is_some()).collect(),
            is_cut: list.len() > MAX_APPLICATIONS,
        })
    }
}

impl InstalledApplication {
    fn read(answers: Answers<'_>) -> InstalledApplication {
        let mut app = InstalledApplication::identity(answers);
        app.read_download(answers);
        app.is_validated = answers.boolean("IsValidated");
        app.has_update_available = answers.boolean("HasUpdateAvailable");
        app.app_store_vendable = answers.boolean("AppStoreVendable");
        app.device_based_vpp = answers.boolean("DeviceBasedVPP");
        app.beta_app = answers.boolean("BetaApp");
        app.ad_hoc_code_signed = answers.boolean("AdHocCodeSigned");
        app.is_app_clip = answers.boolean("IsAppClip");
        app
    }

    fn identity(answers: Answers<'_>) -> InstalledApplication {
        InstalledApplication {
            identifier: answers.clipped_text("Identifier"),
            name: answers.clipped_text("Name"),
            version: answers.clipped_text("Version"),
            short_version: answers.clipped_text("ShortVersion"),
            external_version_identifier: answers.unsigned("ExternalVersionIdentifier"),
            distributor_identifier: answers.clipped_text("DistributorIdentifier"),
            source: answers.clipped_text("Source"),
            bundle_size: answers.unsigned("BundleSize"),
            dynamic_size: answers.unsigned("DynamicSize"),
            ..InstalledApplication::default()
        }
    }

    fn read_download(&mut self, answers: Answers<'_>) {
        self.installing = answers.boolean("Installing");
        self.download_failed = answers.boolean("DownloadFailed");
        self.download_waiting = answers.boolean("DownloadWaiting");
        self.download_paused = answers.boolean("DownloadPaused");
        self.download_cancelled = answers.boolean("DownloadCancelled");
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{a_report, an_odd_value};
    use super::*;
    use plist::{Dictionary, Value};
    use proptest::prelude::*;

    fn listed(list: impl Into<Value>) -> Option<InstalledApplications> {
        InstalledApplications::from_report(&a_report(vec![("InstalledApplicationList", list.into())]))
    }

    fn app(pairs: Vec<(&str, Value)>) -> Value {
        Value::Dictionary(Dictionary::from_iter(pairs))
    }

    fn only(entry: Value) -> InstalledApplication {
        let mut read = listed(vec![entry]).unwrap();
        assert_eq!(read.applications.len(), 1);
        read.applications.remove(0)
    }

    #[test]
    fn an_app_of_an_iphone_is_read() {
        let read = only(app(vec![
            ("Identifier", "com.example.notes".into()),
            ("Name", "Notes & More".into()),
            ("Version", "1843.2".into()),
            ("ShortVersion", "18.4".into()),
            ("BundleSize", 48_234_496.into()),
            ("DynamicSize", 1_048_576.into()),
            ("ExternalVersionIdentifier", 871_234_567.into()),
            ("Installing", false.into()),
            ("IsValidated", true.into()),
            ("AppStoreVendable", true.into()),
        ]));
        let expected = InstalledApplication {
            identifier: Some("com.example.notes".into()),
            name: Some("Notes & More".into()),
            version: Some("1843.2".into()),
            short_version: Some("18.4".into()),
            external_version_identifier: Some(871_234_567),
            bundle_size: Some(48_234_496),
            dynamic_size: Some(1_048_576),
            installing: Some(false),
            is_validated: Some(true),
            app_store_vendable: Some(true),
            ..InstalledApplication::default()
        };
        assert_eq!(read, expected);
    }

    #[test]
    fn an_app_of_a_mac_may_have_a_name_only() {
        let read = only(app(vec![("Name", "Old Tool".into()), ("Identifier", "".into())]));
        assert_eq!((read.identifier, read.name.as_deref()), (None, Some("Old Tool")));
    }

    #[test]
    fn what_names_no_app_is_left_out() {
        let list = vec![app(vec![("Version", "1".into())]), "com.example".into(), app(vec![])];
        assert_eq!(listed(list), Some(InstalledApplications::default()));
    }

    #[test]
    fn no_list_is_not_an_empty_list() {
        assert_eq!(InstalledApplications::from_report(&a_report(vec![])), None);
        assert_eq!(listed("none"), None);
        assert_eq!(listed(Vec::new()), Some(InstalledApplications::default()));
    }

    #[test]
    fn values_of_the_wrong_type_are_unknown() {
        let read = only(app(vec![
            ("Identifier", "com.example".into()),
            ("Name", 7.into()),
            ("BundleSize", (-1).into()),
            ("Installing", "yes".into()),
        ]));
        assert_eq!((read.name, read.bundle_size, read.installing), (None, None, None));
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        let read = only(app(vec![("Name", "é".repeat(600).into())]));
        assert_eq!(read.name, Some("é".repeat(512)));
        let read = only(app(vec![("Name", format!("x{}", "é".repeat(600)).into())]));
        assert_eq!(read.name, Some(format!("x{}", "é".repeat(511))));
    }

    #[test]
    fn not_more_than_ten_thousand_apps_are_kept() {
        let apps = |count: usize| {
            let app = |number| app(vec![("Identifier", format!("com.example.{number}").into())]);
            listed((0..count).map(app).collect::<Vec<_>>()).unwrap()
        };
        let (full, over) = (apps(MAX_APPLICATIONS), apps(MAX_APPLICATIONS + 1));
        assert_eq!((full.applications.len(), full.is_cut), (MAX_APPLICATIONS, false));
        assert_eq!((over.applications.len(), over.is_cut), (MAX_APPLICATIONS, true));
    }

    proptest! {
        #[test]
        fn odd_answers_never_panic(
            values in proptest::collection::vec(an_odd_value(), 4), entry in an_odd_value(),
        ) {
            let keys = ["Identifier", "Name", "BundleSize", "Installing"];
            let odd = app(keys.into_iter().zip(values).collect());
            let read = listed(vec![odd, entry]).unwrap();
            prop_assert!(read.applications.len() <= 2);
            let texts = read.applications.iter().flat_map(|app| [&app.identifier, &app.name]).flatten();
            prop_assert!(texts.into_iter().all(|text| !text.is_empty() && text.len() <= 1024));
        }
    }
}
