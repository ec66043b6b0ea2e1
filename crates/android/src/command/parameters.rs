//! The JSON of a command: its type, its duration, and at most one object of parameters.

use serde::Serialize;

use super::{Command, CommandKind, CommandRequest, LostMode, NewPassword, ResetPasswordFlag, WipeDataFlag};
use crate::message::UserFacingMessage;
use crate::wire::span;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Body<'a> {
    #[serde(rename = "type")]
    kind: CommandKind,
    #[serde(serialize_with = "span::serialize")]
    duration: Option<std::time::Duration>,
    #[serde(flatten)]
    parameters: Parameters<'a>,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Parameters<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    new_password: Option<&'a NewPassword>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    reset_password_flags: &'a [ResetPasswordFlag],
    #[serde(skip_serializing_if = "Option::is_none")]
    clear_apps_data_params: Option<Packages<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_lost_mode_params: Option<&'a LostMode>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stop_lost_mode_params: Option<Empty>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wipe_params: Option<Wipe<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Packages<'a> {
    package_names: &'a [String],
}

#[derive(Serialize)]
struct Empty {}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Wipe<'a> {
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    wipe_data_flags: &'a [WipeDataFlag],
    #[serde(skip_serializing_if = "Option::is_none")]
    wipe_reason: Option<&'a UserFacingMessage>,
}

impl<'a> Body<'a> {
    pub(super) fn of(request: &'a CommandRequest) -> Self {
        Self {
            kind: request.command.kind(),
            duration: Some(request.duration),
            parameters: Parameters::of(&request.command),
        }
    }
}

impl<'a> Parameters<'a> {
    fn of(command: &'a Command) -> Self {
        let none = Self::default();
        match command {
            Command::Lock | Command::Reboot | Command::RelinquishOwnership => none,
            Command::ResetPassword { new_password, flags } => {
                Self { new_password: new_password.as_ref(), reset_password_flags: flags, ..none }
            }
            Command::ClearAppData { package_names } => {
                Self { clear_apps_data_params: Some(Packages { package_names }), ..none }
            }
            Command::StartLostMode(lost) => Self { start_lost_mode_params: Some(lost), ..none },
            Command::StopLostMode => Self { stop_lost_mode_params: Some(Empty {}), ..none },
            Command::Wipe { flags, reason } => {
                let wipe = Wipe { wipe_data_flags: flags, wipe_reason: reason.as_ref() };
                Self { wipe_params: Some(wipe), ..none }
            }
        }
    }
}
