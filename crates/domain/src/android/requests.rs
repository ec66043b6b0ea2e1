//! What an Android device can be asked for, as it is kept until Google takes it.

use ::android::{
    Command, ResetPasswordFlag,
    command::{LostMode, NewPassword},
};
use serde::{Deserialize, Serialize};

use crate::{Error, Result, actions::Password};

/// One request; the payload of a command, as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "kebab-case")]
pub(crate) enum AndroidRequest {
    /// `LOCK`.
    Lock,
    /// `RESET_PASSWORD`.
    ResetPassword {
        /// The new one.
        password: Password,
    },
    /// `START_LOST_MODE`.
    StartLostMode {
        /// Shown to a finder.
        message: Option<String>,
        /// Shown to a finder.
        phone_number: Option<String>,
        /// Shown to a finder.
        email: Option<String>,
    },
    /// `STOP_LOST_MODE`.
    StopLostMode,
    /// `WIPE`: of a personal device, the work profile.
    Wipe,
    /// `RELINQUISH_OWNERSHIP`.
    RelinquishOwnership,
    /// Where a lost device is: it tells so by itself, and all there is to do is wait.
    Location,
    /// What Google knows of the device now.
    Report,
}

impl AndroidRequest {
    /// Google's word where it has one, as commands show it.
    pub(crate) fn request_type(&self) -> &'static str {
        match self {
            Self::Lock => "LOCK",
            Self::ResetPassword { .. } => "RESET_PASSWORD",
            Self::StartLostMode { .. } => "START_LOST_MODE",
            Self::StopLostMode => "STOP_LOST_MODE",
            Self::Wipe => "WIPE",
            Self::RelinquishOwnership => "RELINQUISH_OWNERSHIP",
            Self::Location => "LOST_MODE_LOCATION",
            Self::Report => "DEVICE_REPORT",
        }
    }

    /// Whether it is to be kept sealed.
    pub(crate) fn has_secret(&self) -> bool {
        matches!(self, Self::ResetPassword { .. })
    }

    /// The command that Google is told; `None` where it is told none.
    pub(crate) fn command(&self) -> Result<Option<Command>> {
        Ok(Some(match self {
            Self::Lock => Command::Lock,
            Self::ResetPassword { password } => Command::ResetPassword {
                new_password: Some(NewPassword::new(password.reveal())),
                flags: vec![ResetPasswordFlag::LockNow],
            },
            Self::StartLostMode { message, phone_number, email } => {
                let lost = LostMode::new(message.as_deref(), phone_number.as_deref(), email.as_deref());
                Command::StartLostMode(lost.map_err(Error::internal)?)
            }
            Self::StopLostMode => Command::StopLostMode,
            Self::Wipe => Command::Wipe { flags: Vec::new(), reason: None },
            Self::RelinquishOwnership => Command::RelinquishOwnership,
            Self::Location | Self::Report => return Ok(None),
        }))
    }
}
