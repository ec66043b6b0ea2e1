//! What can be asked of a device, free of any platform: one file per action.
//!
//! To add one: its file, its variant, its arms in `Action::spec` and `ActionKind::supported_by`. To add a platform: its
//! method beside [`Spec::apple`], and its arm in each action's rule.

use crate::{
    Device, DeviceSecret, EnrollmentId, Platform, Result, Role, TenantId, Unsupported,
    android::AndroidRequest, ports::Random,
};

mod act;
mod android;
mod app_list;
mod lock;
mod lost_mode;
mod password;
mod reset_passcode;
mod rules;
mod text;
mod wipe;

pub use app_list::RequestAppList;
pub use lock::Lock;
pub use lost_mode::{DisableLostMode, EnableLostMode, RequestLocation};
pub(crate) use password::Password;
pub use reset_passcode::ResetPasscode;
pub(crate) use rules::unsupported;
pub use wipe::Wipe;

/// What can be asked of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActionKind {
    /// Ends the lost mode.
    DisableLostMode,
    /// Starts the lost mode.
    EnableLostMode,
    /// Locks the screen.
    LockScreen,
    /// Asks which apps there are. The Device API does not list it among a device's actions.
    RequestAppList,
    /// Asks where the device is.
    RequestLocation,
    /// Clears the passcode.
    ResetPasscode,
    /// Erases the device; under User Enrollment it takes the management off, which is all that may be taken.
    WipeFull,
    /// Takes the management off the device.
    WipePartial,
}

impl ActionKind {
    /// Its name, as commands and the Device API have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::DisableLostMode => "disablelostmode",
            Self::EnableLostMode => "enablelostmode",
            Self::LockScreen => "lockscreen",
            Self::RequestAppList => "requestapplist",
            Self::RequestLocation => "requestlocation",
            Self::ResetPasscode => "resetpasscode",
            Self::WipeFull => "wipefull",
            Self::WipePartial => "wipepartial",
        }
    }

    /// Whether it can be done on `device` now.
    pub fn is_available(self, device: &Device) -> bool {
        self.supported_by(device).is_ok()
    }

    /// Whether it can be done on `device` now, by what is known of it; if not, why. The one rule by which an action is
    /// shown and refused.
    pub fn supported_by(self, device: &Device) -> std::result::Result<(), Unsupported> {
        rules::managed(device)?;
        if device.facts.platform == Some(Platform::Android) {
            return android::supported_by(self, device);
        }
        match self {
            Self::DisableLostMode => lost_mode::can_end(device),
            Self::EnableLostMode => lost_mode::can_begin(device),
            Self::LockScreen => lock::supported_by(device),
            Self::RequestAppList => app_list::supported_by(device),
            Self::RequestLocation => lost_mode::can_locate(device),
            Self::ResetPasscode => reset_passcode::supported_by(device),
            Self::WipeFull => wipe::full_supported_by(device),
            Self::WipePartial => wipe::partial_supported_by(device),
        }
    }
}

/// An action and its parameters.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// End the lost mode.
    DisableLostMode(DisableLostMode),
    /// Start the lost mode.
    EnableLostMode(EnableLostMode),
    /// Lock the screen.
    Lock(Lock),
    /// Ask which apps there are.
    RequestAppList(RequestAppList),
    /// Ask where the device is.
    RequestLocation(RequestLocation),
    /// Clear the passcode.
    ResetPasscode(ResetPasscode),
    /// Erase the device, or take the management off it.
    Wipe(Wipe),
}

impl Action {
    fn spec(&self) -> &dyn Spec {
        match self {
            Self::DisableLostMode(action) => action,
            Self::EnableLostMode(action) => action,
            Self::Lock(action) => action,
            Self::RequestAppList(action) => action,
            Self::RequestLocation(action) => action,
            Self::ResetPasscode(action) => action,
            Self::Wipe(action) => action,
        }
    }
}

/// What an action says about itself.
trait Spec: Sync {
    fn kind(&self) -> ActionKind;

    fn needs(&self) -> Role {
        Role::Operator
    }

    /// Whether its commands are made from the device's unlock token.
    fn needs_unlock_token(&self) -> bool {
        false
    }

    /// Its commands for an Apple device; at least one, where [`ActionKind::supported_by`] found no fault.
    fn apple(&self, asked: &Asked<'_>) -> Result<Vec<AppleRequest>>;

    /// Its requests for an Android device, each behind the success of the one before; at least one, likewise.
    fn android(&self, device: &Device) -> Result<Vec<AndroidRequest>>;
}

/// What an action's commands are made from, beside its parameters.
struct Asked<'a> {
    tenant: TenantId,
    device: &'a Device,
    /// `UnlockToken` of the device, opened, for an action that needs it.
    unlock_token: Option<Vec<u8>>,
    random: &'a dyn Random,
}

/// An Apple command that carries out an action, or a part of one.
struct AppleRequest {
    command: apple::Command,
    /// At most one open command of the device has it.
    dedupe: &'static str,
    /// Whether the command holds a secret, and is kept sealed.
    sealed: bool,
    /// Kind and value of a secret that is kept before the command may leave.
    escrow: Option<(DeviceSecret, String)>,
}

impl AppleRequest {
    /// A command without secrets, the only one of its action.
    fn plain(kind: ActionKind, command: impl Into<apple::Command>) -> Self {
        Self { command: command.into(), dedupe: kind.name(), sealed: false, escrow: None }
    }
}

/// What seals the unlock token of an enrollment.
pub(crate) fn unlock_token_context(enrollment: EnrollmentId) -> String {
    format!("unlock-token/{enrollment}")
}

impl From<apple::Platform> for Platform {
    fn from(platform: apple::Platform) -> Self {
        match platform {
            apple::Platform::IOs => Self::Ios,
            apple::Platform::IPadOs => Self::Ipados,
            apple::Platform::MacOs => Self::Macos,
            apple::Platform::TvOs => Self::Tvos,
            apple::Platform::WatchOs => Self::Watchos,
            apple::Platform::VisionOs => Self::Visionos,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        EnrollmentKind, Facts,
        Unsupported::{
            AlreadyInLostMode, AppleSiliconBefore11_5, NoUnlockToken, NotInLostMode, NotManaged,
            NotSupervised, OsTooOld, Quarantined, UserEnrollment,
        },
        fixtures,
    };

    /// No device of the platform can.
    const NEVER: Option<Unsupported> = Some(Unsupported::Platform);

    const ALL: [ActionKind; 8] = [
        ActionKind::LockScreen,
        ActionKind::WipeFull,
        ActionKind::WipePartial,
        ActionKind::EnableLostMode,
        ActionKind::DisableLostMode,
        ActionKind::RequestLocation,
        ActionKind::ResetPasscode,
        ActionKind::RequestAppList,
    ];

    /// One that has told what decides about its actions.
    fn device(platform: Platform, os: &str) -> Device {
        let device = fixtures::device(platform, os);
        let facts = Facts {
            supervised: Some(false),
            lost_mode: Some(false),
            apple_silicon: (platform == Platform::Macos).then_some(true),
            ..device.facts
        };
        Device { unlockable: platform != Platform::Macos, facts, ..device }
    }

    fn supervised(platform: Platform, os: &str) -> Device {
        let device = device(platform, os);
        Device { facts: Facts { supervised: Some(true), ..device.facts }, ..device }
    }

    fn with(device: Device, change: impl FnOnce(&mut Device)) -> Device {
        let mut device = device;
        change(&mut device);
        device
    }

    /// What each action, in the order of [`ALL`], is answered.
    fn abilities(device: &Device) -> [Option<Unsupported>; 8] {
        ALL.map(|kind| kind.supported_by(device).err())
    }

    #[test]
    fn each_platform_can_do_what_apple_says() {
        use Platform::{Ios, Ipados, Macos, Tvos, Visionos, Watchos};
        let (no, old, unsupervised) = (NEVER, Some(OsTooOld), Some(NotSupervised));
        let lost = Some(NotInLostMode);
        let mac = [None, None, None, no, no, no, no, None];
        for (what, device, expected) in [
            (
                "an iPhone",
                device(Ios, "18.1"),
                [None, None, None, unsupervised, unsupervised, unsupervised, None, None],
            ),
            (
                "a supervised iPad",
                supervised(Ipados, "18.1"),
                [None, None, None, None, lost, lost, None, None],
            ),
            (
                "an old supervised iPad",
                supervised(Ipados, "9.2"),
                [None, None, None, old, old, old, None, None],
            ),
            ("a Mac", device(Macos, "15.1"), mac),
            ("a supervised Mac", supervised(Macos, "15.1"), mac),
            ("a Mac that only tells what is installed", device(Macos, "10.15"), mac),
            ("an Apple TV", device(Tvos, "18.1"), [no, None, None, no, no, no, no, None]),
            ("an Apple Watch", device(Watchos, "11.1"), [None, None, None, no, no, no, None, None]),
            ("an Apple Vision", device(Visionos, "2.1"), [None, None, None, no, no, no, None, None]),
            ("an old Apple Vision", device(Visionos, "1.1"), [old, None, None, no, no, no, None, None]),
        ] {
            assert_eq!(abilities(&device), expected, "{what}");
        }
    }

    #[test]
    fn a_personal_device_keeps_what_is_its_users() {
        use Platform::{Ios, Macos};
        let personal = |device| with(device, |device| device.facts.enrollment = EnrollmentKind::User);
        let (user, no) = (Some(UserEnrollment), NEVER);
        let phone = personal(with(device(Ios, "18.1"), |device| device.unlockable = false));
        assert_eq!(abilities(&phone)[..3], [None, None, None], "a wipe takes what is managed");
        assert_eq!(abilities(&phone)[6..], [user, None]);
        for kind in [ActionKind::EnableLostMode, ActionKind::DisableLostMode, ActionKind::RequestLocation] {
            assert!(!kind.is_available(&phone), "{}", kind.name());
        }
        let mac = personal(device(Macos, "15.1"));
        assert_eq!(
            abilities(&mac),
            [user, None, None, no, no, no, no, None],
            "it tells of managed apps only"
        );
        let old = personal(device(Macos, "10.15"));
        assert_eq!(abilities(&old)[7], user, "what is installed is its user's");
    }

    #[test]
    fn lost_mode_is_begun_once_and_ended_once() {
        let lost =
            |state| with(supervised(Platform::Ipados, "18.1"), |device| device.facts.lost_mode = state);
        let [_, wipe, _, begin, end, locate, reset, _] = abilities(&lost(Some(true)));
        assert_eq!((begin, end, locate), (Some(AlreadyInLostMode), None, None));
        assert_eq!((wipe, reset), (None, None), "what helps against a finder stays possible");
        let [_, _, _, begin, end, locate, ..] = abilities(&lost(None));
        assert_eq!((begin, end, locate), (None, Some(NotInLostMode), Some(NotInLostMode)));
        let unknown = with(lost(Some(false)), |device| device.facts.supervised = None);
        assert_eq!(abilities(&unknown)[3], Some(NotSupervised), "it tells as soon as it is enrolled");
    }

    #[test]
    fn a_shared_ipad_keeps_its_users_passcodes() {
        let shared = with(supervised(Platform::Ipados, "18.1"), |device| device.facts.shared = Some(true));
        let [lock, wipe, .., reset, _] = abilities(&shared);
        assert_eq!((lock, wipe, reset), (None, None, Some(Unsupported::SharedIpad)));
    }

    #[test]
    fn an_enrollment_gives_the_rights_that_its_profile_asked_for() {
        let granted = |without: u16| {
            with(device(Platform::Ios, "18.1"), |device| device.facts.access_rights = Some(8191 & !without))
        };
        let missing = Some(Unsupported::MissingRight);
        let [lock, wipe, .., reset, _] = abilities(&granted(4));
        assert_eq!((lock, wipe, reset), (missing, None, missing));
        assert_eq!(abilities(&granted(8))[1], missing);
        assert_eq!(abilities(&granted(2))[2], missing, "profiles are removed by a right");
        let [.., apps] = abilities(&granted(256));
        assert_eq!(apps, None, "it may still tell of managed apps");
        assert_eq!(abilities(&granted(256 | 4096))[7], missing);
    }

    #[test]
    fn a_passcode_is_cleared_with_the_devices_own_token() {
        let locked = with(device(Platform::Ios, "18.1"), |device| device.unlockable = false);
        assert_eq!(ActionKind::ResetPasscode.supported_by(&locked), Err(NoUnlockToken));
    }

    #[test]
    fn a_mac_that_a_lock_would_deactivate_is_not_locked() {
        for (os, silicon, locks) in [
            ("11.4", Some(true), false),
            ("11.4", None, false),
            ("11.4", Some(false), true),
            ("11.5", Some(true), true),
            ("10.15", None, true),
            ("nonsense", Some(true), false),
        ] {
            let mac = with(device(Platform::Macos, os), |mac| mac.facts.apple_silicon = silicon);
            let expected = if locks { Ok(()) } else { Err(AppleSiliconBefore11_5) };
            assert_eq!(ActionKind::LockScreen.supported_by(&mac), expected, "{os} {silicon:?}");
            assert!(ActionKind::WipeFull.is_available(&mac), "an erase harms no Mac that way");
        }
    }

    #[test]
    fn only_a_device_that_obeys_us_can_be_asked_anything() {
        let gone = with(supervised(Platform::Ipados, "18.1"), |device| device.managed = false);
        assert_eq!(abilities(&gone), [Some(NotManaged); 8]);
        let claims = with(gone, |device| device.quarantined = true);
        assert_eq!(abilities(&claims), [Some(Quarantined); 8]);
    }

    #[test]
    fn names_are_those_of_the_device_api() {
        let names = ALL.map(ActionKind::name);
        assert_eq!(names.len(), names.iter().collect::<std::collections::HashSet<_>>().len());
        assert!(names.contains(&"lockscreen") && names.contains(&"wipepartial"));
    }
}
