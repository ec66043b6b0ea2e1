//! A device, as this API shows it.

use domain::{
    ActionKind, AndroidChannel, AndroidManagement, Device, DeviceView, EnrollmentKind, Facts, Platform,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{dates::WireDate, model_name::model_name, storage::Storage};

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

/// What can be asked of a device.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
struct Actions {
    disablelostmode: ActionObject,
    enablelostmode: ActionObject,
    lockscreen: ActionObject,
    requestlocation: ActionObject,
    resetpasscode: ActionObject,
    wipefull: ActionObject,
    wipepartial: ActionObject,
}

/// How an action stands.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[schema(as = Action)]
struct ActionObject {
    /// 1: it is queued or sent, and not yet answered.
    #[schema(example = 0)]
    status: u8,
    /// Whether it can be done on this device now.
    visible: bool,
}

/// A place and a time.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[schema(as = Location)]
struct LocationObject {
    /// Degrees north.
    #[schema(example = 58.517_524_8)]
    latitude: f64,
    /// Degrees east.
    #[schema(example = 12.447_230_8)]
    longitude: f64,
    /// When it was there.
    timestamp: WireDate,
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

impl Actions {
    fn of(view: &DeviceView) -> Self {
        let action = |kind: ActionKind| ActionObject {
            status: u8::from(view.pending.iter().any(|pending| pending == kind.name())),
            visible: kind.is_available(&view.device),
        };
        Self {
            disablelostmode: action(ActionKind::DisableLostMode),
            enablelostmode: action(ActionKind::EnableLostMode),
            lockscreen: action(ActionKind::LockScreen),
            requestlocation: action(ActionKind::RequestLocation),
            resetpasscode: action(ActionKind::ResetPasscode),
            wipefull: action(ActionKind::WipeFull),
            wipepartial: action(ActionKind::WipePartial),
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be within 0 and 1")]
fn battery_level(facts: &Facts) -> Option<u8> {
    facts.battery_level.filter(|level| (0.0..=1.0).contains(level)).map(|level| (level * 100.0).round() as u8)
}

/// Automated enrollment counts on Macs only, user enrollment on everything else: so the published table has it.
fn enrollment_type(facts: &Facts) -> Option<u8> {
    if let Some(android) = &facts.android {
        return android.channel.map(|channel| match channel {
            AndroidChannel::ZeroTouch => 0,
            AndroidChannel::Knox => 3,
        });
    }
    match (facts.enrollment, facts.platform) {
        (EnrollmentKind::Automated, Some(Platform::Macos)) => Some(1),
        (EnrollmentKind::User, platform) if platform != Some(Platform::Macos) => Some(2),
        (EnrollmentKind::Profile | EnrollmentKind::Automated | EnrollmentKind::User, _) => None,
    }
}

/// How an Android device is managed; 0 on Apple devices, as published.
fn management(facts: &Facts) -> u8 {
    match facts.android.as_ref().and_then(|android| android.management) {
        Some(AndroidManagement::WorkProfile) => 2,
        Some(AndroidManagement::FullyManaged) => 3,
        Some(AndroidManagement::CompanyOwnedWorkProfile) => 4,
        None => 0,
    }
}

/// Android devices tell no name: maker, model and serial number stand for it.
fn display_name(facts: &Facts) -> Option<String> {
    if facts.android.is_none() || facts.device_name.is_some() {
        return facts.device_name.clone();
    }
    let parts = [&facts.model_name, &facts.product_name, &facts.serial_number];
    let parts: Vec<&str> = parts.into_iter().filter_map(|part| part.as_deref()).collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

/// What an Android device without an IMEI has.
fn meid(facts: &Facts) -> Option<&String> {
    facts.android.as_ref().and(facts.meid.as_ref())
}

fn location(facts: &Facts) -> Option<LocationObject> {
    let place = facts.location?;
    Some(LocationObject {
        latitude: place.latitude,
        longitude: place.longitude,
        timestamp: WireDate(place.at),
    })
}

/// Macs, Apple TVs, Apple Visions and devices that are not supervised have no lost mode, and so are known not to be in it;
/// of any other device that is silent about it, nothing is known.
fn lost_mode(facts: &Facts) -> Option<bool> {
    let has_none = matches!(facts.platform, Some(Platform::Macos | Platform::Tvos | Platform::Visionos));
    facts.lost_mode.or((has_none || facts.supervised == Some(false)).then_some(false))
}

fn os_name(facts: &Facts) -> Option<String> {
    let version = facts.os_version.as_deref();
    Some(match facts.platform?.apple() {
        Some(platform) => platform.os_name(version),
        None => version.map_or_else(|| "Android".to_owned(), |version| format!("Android {version}")),
    })
}

/// The published table says it of iOS and iPadOS only.
fn supervised(facts: &Facts) -> Option<bool> {
    match facts.platform {
        None | Some(Platform::Ios | Platform::Ipados) => facts.supervised,
        Some(
            Platform::Macos | Platform::Tvos | Platform::Watchos | Platform::Visionos | Platform::Android,
        ) => Some(false),
    }
}

/// The published table has no number for tvOS, watchOS and visionOS. They descend from iOS and take its commands and
/// not those of a Mac, so that they count as what is next to them.
pub(super) fn kind(platform: Platform) -> u8 {
    match platform {
        Platform::Ios | Platform::Ipados | Platform::Tvos | Platform::Watchos | Platform::Visionos => 2,
        Platform::Android => 4,
        Platform::Macos => 7,
    }
}

fn user_id(device: &Device) -> Option<String> {
    device.user.map(|user| user.0.hyphenated().to_string())
}

#[cfg(test)]
pub(super) mod tests {
    use domain::{EnrollmentId, Location, Timestamp};
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::*;

    /// The device of the published examples.
    pub(in super::super) fn published() -> DeviceView {
        DeviceView {
            device: Device {
                id: "e60cf0e25e63430694441870c27a8b42".parse().unwrap(),
                enrollment: EnrollmentId(Uuid::nil()),
                key: "00008020-001E04DA2284002E".into(),
                user: Some("465874fd-28a6-4f0d-bc53-43df50552fe2".parse().unwrap()),
                external_id: None,
                managed: true,
                wiped: false,
                profile_removed: false,
                quarantined: false,
                enrolled_at: Timestamp(0),
                last_contact: Some(Timestamp(1_608_564_096_937)),
                unlockable: true,
                facts: published_facts(),
            },
            pending: Vec::new(),
        }
    }

    fn published_facts() -> Facts {
        Facts {
            platform: Some(Platform::Ios),
            device_name: Some("iPhone".into()),
            serial_number: Some("F71XL2HZKXK7".into()),
            product_name: Some("iPhone11,8".into()),
            model_name: Some("iPhone XR, Blue".into()),
            model_number: Some("MRYA2ZD".into()),
            os_version: Some("14.2".into()),
            imeis: vec!["357351093108963".into()],
            capacity_gb: Some(64.0),
            available_gb: Some(53444.0 / 1024.0),
            battery_level: Some(0.95),
            supervised: Some(true),
            roaming: Some(false),
            lost_mode: Some(false),
            passcode_present: Some(true),
            ..Facts::default()
        }
    }

    fn shown(change: impl FnOnce(&mut DeviceView)) -> Value {
        let mut view = published();
        change(&mut view);
        serde_json::to_value(DeviceObject::from(&view)).unwrap()
    }

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
    fn a_pending_action_has_status_one_and_the_others_do_not() {
        let device = shown(|view| view.pending = vec!["lockscreen".into(), "inventory".into()]);
        for (name, action) in device["actions"].as_object().unwrap() {
            assert_eq!(action["status"], i32::from(name == "lockscreen"), "{name}");
        }
    }

    #[test]
    fn only_a_managed_device_can_be_locked() {
        assert_eq!(shown(|_| ())["actions"]["lockscreen"]["visible"], true);
        assert_eq!(shown(|view| view.device.managed = false)["actions"]["lockscreen"]["visible"], false);
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

    #[test]
    fn a_mac_is_a_mac() {
        let mac = shown(|view| {
            view.device.facts = Facts {
                platform: Some(Platform::Macos),
                enrollment: EnrollmentKind::Automated,
                os_version: Some("15.1".into()),
                supervised: Some(true),
                ..Facts::default()
            }
        });
        assert_eq!(mac["type"], 7);
        assert_eq!(mac["enrollmenttype"], 1);
        assert_eq!(mac["osname"], "macOS 15.1");
        assert_eq!(mac["supervised"], false, "said of iOS and iPadOS only");
        assert_eq!(mac["lostmodeenabled"], false, "a Mac has no lost mode");
    }

    #[test]
    fn the_kind_of_enrollment_is_shown_where_the_published_table_has_it() {
        let kind = |enrollment, platform| {
            shown(|view| {
                view.device.facts.enrollment = enrollment;
                view.device.facts.platform = Some(platform);
            })["enrollmenttype"]
                .clone()
        };
        assert_eq!(kind(EnrollmentKind::User, Platform::Ipados), 2);
        assert_eq!(kind(EnrollmentKind::User, Platform::Macos), Value::Null);
        assert_eq!(kind(EnrollmentKind::Automated, Platform::Ios), Value::Null);
        assert_eq!(kind(EnrollmentKind::Profile, Platform::Macos), Value::Null);
    }

    #[test]
    fn an_ipad_runs_ipados_and_relatives_count_as_ios() {
        let named = |platform, version: &str| {
            let version = version.to_owned();
            let device = shown(|view| {
                view.device.facts.platform = Some(platform);
                view.device.facts.os_version = Some(version);
            });
            (device["osname"].clone(), device["type"].clone())
        };
        assert_eq!(named(Platform::Ipados, "18.1"), (json!("iPadOS 18.1"), json!(2)));
        assert_eq!(named(Platform::Tvos, "18.1"), (json!("tvOS 18.1"), json!(2)));
        assert_eq!(named(Platform::Visionos, "2.1"), (json!("visionOS 2.1"), json!(2)));
    }

    #[test]
    fn a_location_has_a_time() {
        let place =
            Location { latitude: 58.517_524_8, longitude: 12.447_230_8, at: Timestamp(1_606_302_297_743) };
        let device = shown(|view| view.device.facts.location = Some(place));
        let expected = json!({
            "latitude": 58.517_524_8, "longitude": 12.447_230_8, "timestamp": "/Date(1606302297743)/"
        });
        assert_eq!(device["location"], expected);
    }

    #[test]
    fn a_battery_level_is_a_percentage_or_unknown() {
        for (level, percent) in [
            (0.0, json!(0)),
            (0.666, json!(67)),
            (1.0, json!(100)),
            (-1.0, json!(null)),
            (f64::NAN, json!(null)),
        ] {
            let device = shown(|view| view.device.facts.battery_level = Some(level));
            assert_eq!(device["batterylevel"], percent, "{level}");
        }
    }

    #[test]
    fn a_device_that_cannot_be_lost_is_not_and_one_that_may_be_is_unknown() {
        let lost = |supervised| {
            shown(|view| {
                view.device.facts.lost_mode = None;
                view.device.facts.supervised = supervised;
            })["lostmodeenabled"]
                .clone()
        };
        assert_eq!(lost(Some(false)), false);
        assert_eq!(lost(Some(true)), Value::Null);
        assert_eq!(lost(None), Value::Null);
    }
}
