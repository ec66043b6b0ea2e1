//! A device, as this API shows it.

mod actions;
#[cfg(test)]
pub(super) mod fixtures;
mod location;
mod management;
mod model;

use domain::{Device, DeviceView};
use serde::Serialize;
use utoipa::ToSchema;

use super::{dates::WireDate, model_name::model_name, storage::Storage};
use actions::Actions;
use location::{LocationObject, location};
use management::{enrollment_type, lost_mode, management, supervised};
pub(super) use model::kind;
use model::{battery_level, display_name, meid, os_name};

/// A device and what is known of it; what is not known is null.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Device)]
pub(super) struct DeviceObject {
    actions: Actions,
    /// Management mode on Android; 0 on Apple devices.
    #[schema(example = 0)]
    androidforworktype: u8,
    /// Battery level, percent.
    #[schema(example = 95)]
    batterylevel: Option<u8>,
    /// The device's id, for ever: 32 hex digits.
    #[schema(example = "e60cf0e25e63430694441870c27a8b42")]
    clientid: String,
    /// The name that its owner gave it.
    #[schema(example = "iPhone")]
    displayname: Option<String>,
    /// 1: Apple's automated enrollment of a Mac; 2: user enrollment; null: none of these.
    enrollmenttype: Option<u8>,
    /// Free and total storage, for people.
    #[schema(example = "52.2 GB / 64.0 GB - 81.55 %")]
    freestorageinfo: Option<String>,
    /// Free storage, megabytes.
    #[schema(example = 53444)]
    freestoragemb: Option<u64>,
    /// Its first IMEI.
    #[schema(example = "357351093108963")]
    imei: Option<String>,
    /// When it last spoke to the server.
    lastcontact: Option<WireDate>,
    /// Where it last was.
    location: Option<LocationObject>,
    /// Whether the lost mode is on.
    lostmodeenabled: Option<bool>,
    /// Whether it is managed.
    managed: bool,
    /// UDID; under user enrollment the enrollment id.
    #[schema(example = "00008020-001E04DA2284002E")]
    mdmid: String,
    /// Whether its MDM profile was removed.
    mdmprofileremoved: bool,
    /// What its model is called; never empty.
    #[schema(example = "Apple iPhone XR, Blue (MRYA2ZD)")]
    modelname: String,
    /// Its operating system.
    #[schema(example = "iOS 14.2")]
    osname: Option<String>,
    /// Whether its passcode obeys the policy.
    passcodecompliant: Option<bool>,
    /// Whether it has a passcode.
    passwordenabled: Option<bool>,
    /// Ends the lost mode by hand, on Android; null on Apple devices.
    recoverytoken: Option<String>,
    /// Whether it is roaming.
    roaming: Option<bool>,
    /// Its serial number.
    #[schema(example = "F71XL2HZKXK7")]
    serialnumber: Option<String>,
    /// Total storage, megabytes.
    #[schema(example = 65536)]
    storagemb: Option<u64>,
    /// Whether it is a supervised iPhone, iPod touch or iPad.
    supervised: Option<bool>,
    /// 2: iOS, iPadOS and its relatives; 4: Android; 7: macOS.
    #[serde(rename = "type")]
    #[schema(example = 2)]
    kind: Option<u8>,
    /// The id of its user.
    #[schema(example = "465874fd-28a6-4f0d-bc53-43df50552fe2")]
    usersid: Option<String>,
    /// Whether it was erased.
    wiped: bool,
}

impl From<&DeviceView> for DeviceObject {
    fn from(view: &DeviceView) -> Self {
        let DeviceView { device, .. } = view;
        let facts = &device.facts;
        let storage = Storage::reported(facts.capacity_gb, facts.available_gb);
        Self {
            actions: Actions::of(view),
            androidforworktype: management(facts),
            batterylevel: battery_level(facts),
            clientid: device.id.client_id(),
            displayname: display_name(facts),
            enrollmenttype: enrollment_type(facts),
            freestorageinfo: storage.info(),
            freestoragemb: storage.free_mb(),
            imei: facts.imeis.first().or(meid(facts)).cloned(),
            lastcontact: device.last_contact.map(WireDate),
            location: location(facts),
            lostmodeenabled: lost_mode(facts),
            managed: device.managed,
            mdmid: device.key.clone(),
            mdmprofileremoved: device.profile_removed,
            modelname: model_name(facts),
            osname: os_name(facts),
            passcodecompliant: facts.passcode_compliant,
            passwordenabled: facts.passcode_present,
            recoverytoken: None,
            roaming: facts.roaming,
            serialnumber: facts.serial_number.clone(),
            storagemb: storage.total_mb(),
            supervised: supervised(facts),
            kind: facts.platform.map(kind),
            usersid: user_id(device),
            wiped: device.wiped,
        }
    }
}

fn user_id(device: &Device) -> Option<String> {
    device.user.map(|user| user.0.hyphenated().to_string())
}

#[cfg(test)]
mod tests {
    use domain::{ActionKind, Facts};

    use super::{
        fixtures::{published, shown},
        *,
    };

    /// The published example, letter by letter, but for two things: it lacks `passcodecompliant`, which the published
    /// table has, and `visible` says of each action whether it can be done on this device.
    #[test]
    fn the_published_device_is_shown_as_published() {
        let action = |kind: ActionKind| {
            let visible = kind.is_available(&published().device);
            format!(r#""{}":{{"status":0,"visible":{visible}}}"#, kind.name())
        };
        let actions = [
            ActionKind::DisableLostMode,
            ActionKind::EnableLostMode,
            ActionKind::LockScreen,
            ActionKind::RequestLocation,
            ActionKind::ResetPasscode,
            ActionKind::WipeFull,
            ActionKind::WipePartial,
        ]
        .map(action)
        .join(",");
        let expected = [
            &format!(r#"{{"actions":{{{actions}}},"androidforworktype":0,"batterylevel":95,"#),
            r#""clientid":"e60cf0e25e63430694441870c27a8b42","displayname":"iPhone","enrollmenttype":null,"#,
            r#""freestorageinfo":"52.2 GB / 64.0 GB - 81.55 %","freestoragemb":53444,"imei":"357351093108963","#,
            r#""lastcontact":"/Date(1608564096937)/","location":null,"lostmodeenabled":false,"managed":true,"#,
            r#""mdmid":"00008020-001E04DA2284002E","mdmprofileremoved":false,"#,
            r#""modelname":"Apple iPhone XR, Blue (MRYA2ZD)","osname":"iOS 14.2","passcodecompliant":null,"#,
            r#""passwordenabled":true,"recoverytoken":null,"roaming":false,"serialnumber":"F71XL2HZKXK7","#,
            r#""storagemb":65536,"supervised":true,"type":2,"usersid":"465874fd-28a6-4f0d-bc53-43df50552fe2","#,
            r#""wiped":false}"#,
        ]
        .concat();
        assert_eq!(serde_json::to_string(&DeviceObject::from(&published())).unwrap(), expected);
    }

    #[test]
    fn what_a_device_did_not_report_is_null() {
        let device = shown(|view| {
            view.device.facts = Facts::default();
            view.device.user = None;
            view.device.last_contact = None;
        });
        let known = [
            "actions",
            "androidforworktype",
            "clientid",
            "managed",
            "mdmid",
            "mdmprofileremoved",
            "modelname",
            "wiped",
        ];
        for (name, value) in device.as_object().unwrap() {
            assert_eq!(value.is_null(), !known.contains(&name.as_str()), "{name}: {value}");
        }
    }
}
