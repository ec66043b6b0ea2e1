//! Success or failure. The status of the very command decides first, then its error code, then the
//! operation's error; `done` alone says nothing.

use super::{CommandErrorCode, CommandReport, Operation};
use crate::command::CommandKind;

/// The most of Google's message that is kept, in characters.
const MAX_MESSAGE: usize = 200;
/// gRPC's code for what was called off.
const CANCELLED: i32 = 1;

/// What became of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The device has not answered, or a person has still to do something.
    Pending,
    /// The device did it.
    Succeeded,
    /// The device did not, and will not.
    Failed(Failure),
    /// Called off before the device heard of it.
    Cancelled,
    /// It is over, but nobody says how: the command has a status of its own, which is missing. What the
    /// device reports of itself next has to tell.
    Untold,
}

/// Why a command failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Google's word, such as `RESET_PASSWORD_RECENTLY`, `API_LEVEL`; `RPC_4` for a code of gRPC.
    pub word: String,
    /// English, for developers; at most 200 characters, mostly empty.
    pub message: String,
}

impl Failure {
    fn word(word: &str) -> Self {
        Self { word: word.chars().take(crate::words::MAX_WORD).collect(), message: String::new() }
    }

    /// Whether the device is already as the command would have made it: it failed, but nothing is amiss.
    pub fn is_already_so(&self) -> bool {
        matches!(self.word.as_str(), "ALREADY_IN_LOST_MODE" | "NOT_IN_LOST_MODE")
    }
}

impl Operation {
    /// What became of the command, as far as this says.
    pub fn outcome(&self) -> Outcome {
        let command = self.metadata.as_ref();
        command
            .and_then(CommandReport::own_outcome)
            .or_else(|| command.and_then(CommandReport::error))
            .or_else(|| self.whole_error())
            .unwrap_or_else(|| self.silence())
    }

    fn whole_error(&self) -> Option<Outcome> {
        let error = self.error.as_ref().filter(|error| error.code != 0)?;
        if error.code == CANCELLED {
            return Some(Outcome::Cancelled);
        }
        let message = error.message.chars().take(MAX_MESSAGE).collect();
        Some(Outcome::Failed(Failure { word: format!("RPC_{}", error.code), message }))
    }

    fn silence(&self) -> Outcome {
        let kind = self.metadata.as_ref().and_then(|command| command.kind.as_ref());
        match (self.done, kind) {
            (false, _) => Outcome::Pending,
            (true, Some(kind)) if !kind.has_own_status() => Outcome::Succeeded,
            (true, _) => Outcome::Untold,
        }
    }
}

impl CommandKind {
    /// Whether success shows in a status of this very command, and not by the absence of an error.
    fn has_own_status(&self) -> bool {
        match self {
            Self::Lock | Self::ResetPassword | Self::Reboot | Self::RelinquishOwnership | Self::Wipe => false,
            Self::StartLostMode
            | Self::StopLostMode
            | Self::ClearAppData
            | Self::AddEsim
            | Self::RemoveEsim
            | Self::RequestDeviceInfo
            | Self::Other(_) => true,
        }
    }
}

impl CommandReport {
    fn own_outcome(&self) -> Option<Outcome> {
        if let Some(cleared) = &self.clear_apps_data_status {
            let words = cleared.results.values().map(|it| it.clearing_result.as_deref().unwrap_or_default());
            return words.map(judge).reduce(worse).flatten();
        }
        let lost = self.start_lost_mode_status.as_ref().or(self.stop_lost_mode_status.as_ref());
        let word = lost
            .and_then(|it| it.status.as_deref())
            .or_else(|| self.esim_status.as_ref()?.status.as_deref())
            .or_else(|| self.request_device_info_status.as_ref()?.status.as_deref())?;
        judge(word)
    }

    fn error(&self) -> Option<Outcome> {
        let code = self.error_code.as_ref().filter(|code| **code != CommandErrorCode::Unspecified)?;
        Some(Outcome::Failed(Failure::word(code.word())))
    }
}

/// A word for nothing (`…_UNSPECIFIED`) decides nothing.
fn judge(word: &str) -> Option<Outcome> {
    match word {
        "SUCCESS" | "SUCCEEDED" => Some(Outcome::Succeeded),
        "IN_PROGRESS" | "PENDING_USER_ACTION" => Some(Outcome::Pending),
        "" => None,
        unspecified if unspecified.ends_with("_UNSPECIFIED") => None,
        other => Some(Outcome::Failed(Failure::word(other))),
    }
}

/// One application that failed makes the command a failed one.
fn worse(one: Option<Outcome>, other: Option<Outcome>) -> Option<Outcome> {
    match (&one, &other) {
        (Some(Outcome::Failed(_)), _) | (None, _) => one,
        (_, Some(Outcome::Failed(_)) | None) => other,
        _ => one,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(rest: &str) -> Outcome {
        let json = format!(r#"{{"name":"enterprises/E/devices/D/operations/1",{rest}}}"#);
        Operation::decode(json.as_bytes()).unwrap().outcome()
    }

    fn failed(word: &str) -> Outcome {
        Outcome::Failed(Failure::word(word))
    }

    #[test]
    fn a_command_without_a_status_of_its_own_succeeds_when_it_is_done_without_an_error() {
        assert_eq!(outcome(r#""metadata":{"type":"LOCK"}"#), Outcome::Pending);
        assert_eq!(outcome(r#""done":false,"metadata":{"type":"WIPE"}"#), Outcome::Pending);
        for kind in ["LOCK", "RESET_PASSWORD", "REBOOT", "RELINQUISH_OWNERSHIP", "WIPE"] {
            let done = format!(r#""done":true,"metadata":{{"type":"{kind}"}},"response":{{}}"#);
            assert_eq!(outcome(&done), Outcome::Succeeded, "{kind}");
        }
    }

    #[test]
    fn done_alone_is_no_success_of_a_command_with_a_status_of_its_own() {
        for kind in ["START_LOST_MODE", "STOP_LOST_MODE", "CLEAR_APP_DATA", "ADD_ESIM", "BRAND_NEW"] {
            let done = format!(r#""done":true,"metadata":{{"type":"{kind}"}},"response":{{}}"#);
            assert_eq!(outcome(&done), Outcome::Untold, "{kind}");
        }
        assert_eq!(outcome(r#""done":true,"response":{}"#), Outcome::Untold);
    }

    #[test]
    fn the_status_of_the_very_command_decides() {
        let lost = |word: &str| {
            let status = format!(r#""startLostModeStatus":{{"status":"{word}"}}"#);
            outcome(&format!(
                r#""done":true,"metadata":{{"type":"START_LOST_MODE",{status}}},"response":{{}}"#
            ))
        };
        assert_eq!(lost("SUCCESS"), Outcome::Succeeded);
        assert_eq!(lost("RESET_PASSWORD_RECENTLY"), failed("RESET_PASSWORD_RECENTLY"));
        assert_eq!(lost("STATUS_UNSPECIFIED"), Outcome::Untold);
        let already = lost("ALREADY_IN_LOST_MODE");
        assert!(matches!(&already, Outcome::Failed(failure) if failure.is_already_so()), "{already:?}");
        let stop = r#""done":true,"metadata":{"type":"STOP_LOST_MODE","stopLostModeStatus":{"status":"NOT_IN_LOST_MODE"}}"#;
        assert_eq!(outcome(stop), failed("NOT_IN_LOST_MODE"));
    }

    #[test]
    fn what_is_done_can_still_be_under_way() {
        let esim = r#""done":true,"metadata":{"type":"ADD_ESIM","esimStatus":{"status":"IN_PROGRESS"}}"#;
        assert_eq!(outcome(esim), Outcome::Pending);
        let info = r#""done":true,"metadata":{"requestDeviceInfoStatus":{"status":"PENDING_USER_ACTION"}}"#;
        assert_eq!(outcome(info), Outcome::Pending);
    }

    #[test]
    fn an_error_code_outranks_done_and_the_operations_error() {
        let json = r#""done":true,"metadata":{"type":"REBOOT","errorCode":"API_LEVEL"},"error":{"code":1}"#;
        assert_eq!(outcome(json), failed("API_LEVEL"));
        let none = r#""done":true,"metadata":{"type":"REBOOT","errorCode":"COMMAND_ERROR_CODE_UNSPECIFIED"}"#;
        assert_eq!(outcome(none), Outcome::Succeeded);
    }

    #[test]
    fn an_operation_fails_as_a_whole_or_is_called_off() {
        assert_eq!(outcome(r#""done":true,"error":{"code":1,"message":"x"}"#), Outcome::Cancelled);
        let late =
            outcome(r#""done":true,"metadata":{"type":"LOCK"},"error":{"code":4,"message":"too late"}"#);
        let failure = Failure { word: "RPC_4".to_owned(), message: "too late".to_owned() };
        assert_eq!(late, Outcome::Failed(failure));
    }

    #[test]
    fn one_application_that_stays_full_makes_a_failure() {
        let clear = |results: &str| {
            let status = format!(r#""clearAppsDataStatus":{{"results":{{{results}}}}}"#);
            outcome(&format!(r#""done":true,"metadata":{{"type":"CLEAR_APP_DATA",{status}}}"#))
        };
        let (good, bad) = (r#"{"clearingResult":"SUCCESS"}"#, r#"{"clearingResult":"APP_PROTECTED"}"#);
        assert_eq!(clear(&format!(r#""a":{good},"b":{good}"#)), Outcome::Succeeded);
        assert_eq!(clear(&format!(r#""a":{good},"b":{bad}"#)), failed("APP_PROTECTED"));
        assert_eq!(clear(&format!(r#""a":{bad},"b":{good}"#)), failed("APP_PROTECTED"));
        assert_eq!(clear(""), Outcome::Untold);
    }
}
