//! Answers that tell which apps a device has.

use std::collections::BTreeMap;

use apple::{
    Report,
    inventory::{InstalledApplication, InstalledApplications, ManagedApplications},
};

use crate::{Device, InstalledApp, ManagedApp, Result, devices::printable, ports::Tx};

/// Apple's word where it is not known how a managed app is doing.
const UNKNOWN: &str = "Unknown";

/// Takes over the list that a report holds, as a whole; a report without one tells nothing.
pub(super) async fn take(tx: &mut dyn Tx, device: &Device, report: &Report) -> Result<()> {
    if let Some(told) = InstalledApplications::from_report(report) {
        tx.set_installed_apps(device.id, &installed(told)).await?;
    }
    if let Some(told) = ManagedApplications::from_report(report) {
        tx.set_managed_apps(device.id, &managed(told)).await?;
    }
    Ok(())
}

/// Each id once: a Mac may have an app several times, of which the last one counts.
fn installed(told: InstalledApplications) -> Vec<InstalledApp> {
    let apps = told.applications.into_iter().filter_map(app).map(|app| (app.id.clone(), app));
    apps.collect::<BTreeMap<_, _>>().into_values().collect()
}

/// An app of a Mac that has no bundle identifier is known by its name.
fn app(told: InstalledApplication) -> Option<InstalledApp> {
    let text = |text: String| Some(printable(&text)).filter(|text| !text.is_empty());
    let name = told.name.and_then(text);
    Some(InstalledApp {
        id: told.identifier.and_then(text).or_else(|| name.clone())?,
        version: told.short_version.or(told.version).and_then(text),
        from_store: told.app_store_vendable,
        name,
    })
}

fn managed(told: ManagedApplications) -> Vec<ManagedApp> {
    let app = |(id, app): (String, apple::inventory::ManagedApplication)| {
        let status = app.status.as_deref().map(printable).filter(|status| !status.is_empty());
        ManagedApp { id: printable(&id), status: status.unwrap_or_else(|| UNKNOWN.to_owned()) }
    };
    let apps = told.applications.into_iter().map(app).filter(|app| !app.id.is_empty());
    apps.map(|app| (app.id.clone(), app)).collect::<BTreeMap<_, _>>().into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_that_is_there_twice_is_listed_once() {
        let app = |version: &str| InstalledApplication {
            identifier: Some("com.acme.notes".into()),
            version: Some(version.into()),
            ..InstalledApplication::default()
        };
        let told = InstalledApplications { applications: vec![app("1"), app("2")], is_cut: false };
        let expected = InstalledApp {
            id: "com.acme.notes".into(),
            name: None,
            version: Some("2".into()),
            from_store: None,
        };
        assert_eq!(installed(told), [expected]);
    }

    #[test]
    fn an_app_without_an_identifier_is_known_by_its_name() {
        let told = InstalledApplication { name: Some("Old\u{0} Tool".into()), ..Default::default() };
        assert_eq!(app(told).unwrap().id, "Old Tool");
        assert_eq!(app(InstalledApplication { name: Some("\u{7}".into()), ..Default::default() }), None);
    }

    #[test]
    fn a_managed_app_without_a_status_is_in_one_that_is_unknown() {
        let applications = [("com.acme.notes".to_owned(), Default::default())].into();
        let told = managed(ManagedApplications { applications, is_cut: false });
        assert_eq!(told[0].status, "Unknown");
    }
}
