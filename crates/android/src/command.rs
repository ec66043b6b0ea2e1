//! What a device can be told to do, as it is sent.

mod lost_mode;
mod parameters;

use std::fmt;
use std::time::Duration;

use serde::{Serialize, Serializer};

pub use lost_mode::{LostMode, NothingToShow};
use parameters::Body;

use crate::message::UserFacingMessage;
use crate::words::words;

words! {
    /// `type` of a command.
    CommandKind {
        Lock = "LOCK",
        ResetPassword = "RESET_PASSWORD",
        Reboot = "REBOOT",
        RelinquishOwnership = "RELINQUISH_OWNERSHIP",
        ClearAppData = "CLEAR_APP_DATA",
        StartLostMode = "START_LOST_MODE",
        StopLostMode = "STOP_LOST_MODE",
        AddEsim = "ADD_ESIM",
        RemoveEsim = "REMOVE_ESIM",
        RequestDeviceInfo = "REQUEST_DEVICE_INFO",
        Wipe = "WIPE",
    }
}

/// How a password is reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ResetPasswordFlag {
    /// Until somebody enters it, no other administrator may change it.
    RequireEntry,
    /// Do not ask for it at a start of the device.
    DoNotAskCredentialsOnBoot,
    /// Lock the screen afterwards.
    LockNow,
}

/// What a wipe spares or takes along.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum WipeDataFlag {
    /// The protection that asks for the old account after a reset stays.
    PreserveResetProtectionData,
    /// Memory cards are emptied too.
    WipeExternalStorage,
    /// eSIMs are removed too.
    WipeEsims,
}

impl WipeDataFlag {
    /// Google's word, as `devices.delete` wants it in its query.
    pub fn word(self) -> &'static str {
        match self {
            Self::PreserveResetProtectionData => "PRESERVE_RESET_PROTECTION_DATA",
            Self::WipeExternalStorage => "WIPE_EXTERNAL_STORAGE",
            Self::WipeEsims => "WIPE_ESIMS",
        }
    }
}

/// A password on its way to a device; never in a log.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct NewPassword(String);

impl NewPassword {
    /// Android 14 wants at least six digits of a numeric one; Google judges that, not we.
    pub fn new(password: impl Into<String>) -> Self {
        Self(password.into())
    }
}

impl fmt::Debug for NewPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewPassword(…)")
    }
}

/// One thing to do. No variant carries what Google would refuse for its form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Locks the screen; of a work profile with a lock of its own, only that.
    Lock,
    /// Sets a new password. `None` removes it, where the device allows that.
    ResetPassword {
        /// The new one.
        new_password: Option<NewPassword>,
        /// How.
        flags: Vec<ResetPasswordFlag>,
    },
    /// Starts the device anew; fully managed, Android 7 and later.
    Reboot,
    /// Gives a company-owned device to its user: work profile and policies go, what is personal stays.
    RelinquishOwnership,
    /// Empties applications; Android 9 and later.
    ClearAppData {
        /// Which.
        package_names: Vec<String>,
    },
    /// Makes a lost device tell where it is, and shows whom to call.
    StartLostMode(LostMode),
    /// Ends that.
    StopLostMode,
    /// Resets the device to its factory state; of a personal one, removes the work profile.
    Wipe {
        /// What is spared or taken along.
        flags: Vec<WipeDataFlag>,
        /// Shown on a personal device, at most 200 characters.
        reason: Option<UserFacingMessage>,
    },
}

impl Command {
    /// `type`.
    pub fn kind(&self) -> CommandKind {
        match self {
            Self::Lock => CommandKind::Lock,
            Self::ResetPassword { .. } => CommandKind::ResetPassword,
            Self::Reboot => CommandKind::Reboot,
            Self::RelinquishOwnership => CommandKind::RelinquishOwnership,
            Self::ClearAppData { .. } => CommandKind::ClearAppData,
            Self::StartLostMode(_) => CommandKind::StartLostMode,
            Self::StopLostMode => CommandKind::StopLostMode,
            Self::Wipe { .. } => CommandKind::Wipe,
        }
    }
}

/// The body of `devices.issueCommand`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandRequest {
    /// What to do.
    pub command: Command,
    /// How long the command waits for its device; Google's own choice would be ten minutes.
    pub duration: Duration,
}

impl CommandRequest {
    /// A week: a device that is off over the weekend still hears of it.
    pub const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);

    /// Waits for a week.
    pub fn new(command: Command) -> Self {
        Self { command, duration: Self::WEEK }
    }
}

impl Serialize for CommandRequest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Body::of(self).serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn body(command: Command) -> Value {
        serde_json::to_value(CommandRequest::new(command)).unwrap()
    }

    #[test]
    fn a_command_says_its_type_and_how_long_it_waits() {
        assert_eq!(body(Command::Lock), json!({"type": "LOCK", "duration": "604800s"}));
        assert_eq!(body(Command::Reboot), json!({"type": "REBOOT", "duration": "604800s"}));
        let gone = body(Command::RelinquishOwnership);
        assert_eq!(gone, json!({"type": "RELINQUISH_OWNERSHIP", "duration": "604800s"}));
    }

    #[test]
    fn a_password_goes_out_as_google_wants_it_and_stays_out_of_logs() {
        let command = Command::ResetPassword {
            new_password: Some(NewPassword::new("123456")),
            flags: vec![ResetPasswordFlag::RequireEntry, ResetPasswordFlag::LockNow],
        };
        assert!(!format!("{command:?}").contains("123456"));
        let expected = json!({"type": "RESET_PASSWORD", "newPassword": "123456",
            "resetPasswordFlags": ["REQUIRE_ENTRY", "LOCK_NOW"], "duration": "604800s"});
        assert_eq!(body(command), expected);
    }

    #[test]
    fn parameters_are_there_even_if_they_are_empty() {
        let wipe = body(Command::Wipe { flags: Vec::new(), reason: None });
        assert_eq!(wipe, json!({"type": "WIPE", "duration": "604800s", "wipeParams": {}}));
        let stop = body(Command::StopLostMode);
        assert_eq!(stop, json!({"type": "STOP_LOST_MODE", "duration": "604800s", "stopLostModeParams": {}}));
    }

    #[test]
    fn a_wipe_says_what_goes_and_why() {
        let flags = vec![WipeDataFlag::WipeExternalStorage, WipeDataFlag::PreserveResetProtectionData];
        let wipe = body(Command::Wipe { flags, reason: Some(UserFacingMessage::new("You left")) });
        let expected = json!({
            "wipeDataFlags": ["WIPE_EXTERNAL_STORAGE", "PRESERVE_RESET_PROTECTION_DATA"],
            "wipeReason": {"defaultMessage": "You left"},
        });
        assert_eq!(wipe["wipeParams"], expected);
        for flag in [WipeDataFlag::WipeEsims, WipeDataFlag::WipeExternalStorage] {
            assert_eq!(serde_json::to_value(flag).unwrap(), flag.word());
        }
    }

    #[test]
    fn applications_are_named() {
        let clear = body(Command::ClearAppData { package_names: vec!["com.example".to_owned()] });
        assert_eq!(clear["clearAppsDataParams"], json!({"packageNames": ["com.example"]}));
    }
}
