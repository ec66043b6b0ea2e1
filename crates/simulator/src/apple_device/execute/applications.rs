//! Answers to `InstalledApplicationList` and `ManagedApplicationList`: only what the OS knows, only what was
//! asked.

use apple::command::{InstalledApplicationList, ManagedApplicationList};
use apple::{Dictionary, OsVersion, Value};

use super::Outcome;
use crate::apple_device::model::{Application, DeviceModel};

/// Before, sizes were told unasked.
const SIZES_ON_DEMAND: OsVersion = OsVersion::new(26, 0, 0);

/// `InstalledApplicationList`; under User Enrollment of managed apps only.
pub(in crate::apple_device) fn installed(model: &DeviceModel, command: &InstalledApplicationList) -> Outcome {
    let managed_only = command.managed_apps_only || model.is_user_enrolled();
    let told = model
        .installed_applications()
        .into_iter()
        .filter(|app| is_asked(app, &command.identifiers) && (app.managed || !managed_only));
    let list = told.map(|app| {
        let mut answers = installed_application(model, &app);
        answers.retain(|key, _| is_wanted(model, key, &command.items));
        Value::Dictionary(answers)
    });
    let list = Value::Array(list.collect());
    Outcome::Acknowledged(Dictionary::from_iter([("InstalledApplicationList", list)]))
}

/// `ManagedApplicationList`.
pub(in crate::apple_device) fn managed(model: &DeviceModel, command: &ManagedApplicationList) -> Outcome {
    let apps = model.installed_applications().into_iter();
    let told = apps.filter(|app| app.managed && is_asked(app, &command.identifiers));
    let list = told.map(|app| {
        let answers = managed_application(model, &app);
        (app.identifier, Value::Dictionary(answers))
    });
    let list = Value::Dictionary(list.collect());
    Outcome::Acknowledged(Dictionary::from_iter([("ManagedApplicationList", list)]))
}

fn is_asked(app: &Application, identifiers: &[String]) -> bool {
    identifiers.is_empty() || identifiers.contains(&app.identifier)
}

/// Without `Items` everything is, but from 26 on no sizes.
fn is_wanted(model: &DeviceModel, key: &str, items: &[String]) -> bool {
    if !items.is_empty() {
        return items.iter().any(|item| item == key);
    }
    let is_size = matches!(key, "BundleSize" | "DynamicSize");
    model.is_mac() || !is_size || model.os() < SIZES_ON_DEMAND
}

fn installed_application(model: &DeviceModel, app: &Application) -> Dictionary {
    let mut answers = Dictionary::from_iter([
        ("Name", Value::from(app.name.as_str())),
        ("Version", Value::from(app.version.as_str())),
        ("ShortVersion", Value::from(app.short_version.as_str())),
        ("BundleSize", Value::from(app.bundle_size)),
        ("Installing", Value::from(app.installing)),
        ("ExternalVersionIdentifier", Value::from(app.external_version_identifier)),
        ("HasUpdateAvailable", Value::from(false)),
    ]);
    if !app.identifier.is_empty() {
        answers.insert("Identifier".into(), Value::from(app.identifier.as_str()));
    }
    if !model.is_mac() {
        for (key, value) in [
            ("DynamicSize", Value::from(app.dynamic_size)),
            ("IsValidated", Value::from(true)),
            ("AppStoreVendable", Value::from(true)),
            ("DeviceBasedVPP", Value::from(app.managed)),
            ("BetaApp", Value::from(false)),
            ("AdHocCodeSigned", Value::from(false)),
        ] {
            answers.insert(key.into(), value);
        }
    }
    answers
}

fn managed_application(model: &DeviceModel, app: &Application) -> Dictionary {
    let status = if app.installing { "Installing" } else { "Managed" };
    let mut answers = Dictionary::from_iter([
        ("Status", Value::from(status)),
        // Goes with the enrollment.
        ("ManagementFlags", Value::from(1)),
        ("HasConfiguration", Value::from(false)),
        ("HasFeedback", Value::from(false)),
        ("ExternalVersionIdentifier", Value::from(app.external_version_identifier)),
    ]);
    if !model.is_mac() {
        answers.insert("IsValidated".into(), Value::from(true));
    }
    answers
}

#[cfg(test)]
mod tests {
    use super::*;
    use apple::Report;
    use apple::inventory::{InstalledApplications, ManagedApplications};

    fn report(model: &DeviceModel, outcome: Outcome) -> Report {
        let Outcome::Acknowledged(answers) = outcome else { panic!("{outcome:?}") };
        let report = Report::acknowledged(model.identifiers(), "c");
        let report = answers.into_iter().fold(report, |report, (key, value)| report.with(&key, value));
        Report::parse(&report.encode()).unwrap()
    }

    fn list(model: &DeviceModel, command: &InstalledApplicationList) -> InstalledApplications {
        InstalledApplications::from_report(&report(model, installed(model, command))).unwrap()
    }

    fn all() -> InstalledApplicationList {
        InstalledApplicationList::default()
    }

    #[test]
    fn every_app_is_told_of_as_it_is() {
        for model in (0..3).map(DeviceModel::nth) {
            let (told, there) = (list(&model, &all()).applications, model.installed_applications());
            assert_eq!(told.len(), there.len());
            for (told, there) in told.iter().zip(&there) {
                assert_eq!(told.identifier.as_deref().unwrap_or_default(), there.identifier);
                assert_eq!(told.name.as_ref(), Some(&there.name));
                assert_eq!(told.bundle_size, Some(there.bundle_size));
                assert_eq!(told.dynamic_size.is_some(), !model.is_mac());
            }
        }
    }

    #[test]
    fn only_what_was_asked_is_told() {
        let model = DeviceModel::iphone(0);
        let slack = InstalledApplicationList {
            identifiers: vec!["com.tinyspeck.chatlyio".into(), "not.there".into()],
            items: vec!["Identifier".into(), "BundleSize".into()],
            managed_apps_only: false,
        };
        let told = list(&model, &slack).applications;
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].identifier.as_deref(), Some("com.tinyspeck.chatlyio"));
        assert!(told[0].bundle_size.is_some() && told[0].name.is_none() && told[0].installing.is_none());
        let managed = list(&model, &InstalledApplicationList { managed_apps_only: true, ..all() });
        assert_eq!(managed.applications.len(), 3);
    }

    #[test]
    fn from_26_on_sizes_are_told_on_demand() {
        let newest = DeviceModel { os_version: "26.0".into(), ..DeviceModel::iphone(0) };
        assert!(list(&newest, &all()).applications.iter().all(|app| app.bundle_size.is_none()));
        let sizes = InstalledApplicationList { items: vec!["Name".into(), "BundleSize".into()], ..all() };
        assert!(list(&newest, &sizes).applications.iter().all(|app| app.bundle_size.is_some()));
    }

    #[test]
    fn a_users_own_device_tells_of_managed_apps_only() {
        assert_eq!(list(&DeviceModel::user_enrolled_iphone(0), &all()).applications.len(), 3);
    }

    #[test]
    fn managed_apps_are_told_by_identifier() {
        let told = |model: &DeviceModel, identifiers: Vec<String>| {
            let command = ManagedApplicationList { identifiers };
            ManagedApplications::from_report(&report(model, managed(model, &command))).unwrap().applications
        };
        let model = DeviceModel::iphone(0);
        let apps = told(&model, vec![]);
        assert_eq!(apps.len(), 3);
        assert!(apps["com.microsoft.skype.teams"].is_managed());
        assert_eq!(told(&model, vec!["com.microsoft.skype.teams".into(), "com.apple.Pages".into()]).len(), 1);

        let mut coming = model.installed_applications();
        coming[0].installing = true;
        let model = DeviceModel { applications: Some(coming), ..model };
        assert_eq!(
            told(&model, vec![])["com.microsoft.Office.Outlook"].status.as_deref(),
            Some("Installing")
        );
    }
}
