//! An app, as this API shows it.

use domain::{App, Platform};
use serde::Serialize;
use utoipa::ToSchema;

use super::device_object::kind;

/// An app that a device reported; what it did not say is null.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = App)]
pub(super) struct AppObject {
    /// `AU`: an app of Apple's App Store; `EA`: another one.
    #[schema(example = "AU")]
    apptype: Option<&'static str>,
    /// What people call it.
    #[schema(example = "Notes")]
    displayname: Option<String>,
    /// Its bundle identifier; an app of a Mac without one is named by what people call it.
    #[schema(example = "com.example.notes")]
    id: String,
    /// Whether this server manages it.
    managed: bool,
    /// 2: iOS, iPadOS and its relatives; 7: macOS.
    #[schema(example = 2)]
    platform: Option<u8>,
    /// How it is doing: Apple's word for an app that is managed or was to be, such as `Managed` or `Prompting`, else
    /// `Installed`.
    #[schema(example = "Installed")]
    status: String,
}

impl AppObject {
    /// An app of a device of this platform.
    pub(super) fn new(platform: Option<Platform>, app: &App) -> Self {
        Self {
            apptype: app.from_store.map(|from_store| if from_store { "AU" } else { "EA" }),
            displayname: app.name.clone(),
            id: app.id.clone(),
            managed: app.is_managed(),
            platform: platform.map(kind),
            status: app.status.clone().unwrap_or_else(|| "Installed".into()),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::*;

    /// An app that nobody manages.
    pub(in super::super) fn notes() -> App {
        App {
            id: "com.example.notes".into(),
            installed: true,
            name: Some("Notes".into()),
            version: Some("1.0".into()),
            from_store: Some(true),
            status: None,
        }
    }

    fn shown(app: &App) -> serde_json::Value {
        serde_json::to_value(AppObject::new(Some(Platform::Ios), app)).unwrap()
    }

    #[test]
    fn an_app_is_shown_with_all_its_fields() {
        let expected = json!({
            "apptype": "AU", "displayname": "Notes", "id": "com.example.notes", "managed": false, "platform": 2,
            "status": "Installed",
        });
        assert_eq!(shown(&notes()), expected);
    }

    #[test]
    fn what_a_device_did_not_say_is_null() {
        let bare = App { name: None, from_store: None, ..notes() };
        let shown = serde_json::to_value(AppObject::new(None, &bare)).unwrap();
        for field in ["apptype", "displayname", "platform"] {
            assert_eq!(shown[field], json!(null), "{field}");
        }
        assert_eq!(self::shown(&App { from_store: Some(false), ..notes() })["apptype"], "EA");
    }

    #[test]
    fn apples_word_says_how_a_managed_app_is_doing() {
        for (status, managed) in [
            ("Managed", true),
            ("Prompting", true),
            ("ManagedButUninstalled", true),
            ("UserInstalledApp", false),
            ("UserRejected", false),
            ("Failed", false),
        ] {
            let shown = shown(&App { status: Some(status.into()), ..notes() });
            assert_eq!((&shown["status"], &shown["managed"]), (&json!(status), &json!(managed)));
        }
    }
}
