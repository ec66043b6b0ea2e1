//! A command on its way, and what became of it.

mod outcome;
mod status;

use std::time::{Duration, SystemTime};

use serde::Deserialize;

pub use outcome::{Failure, Outcome};
pub use status::{
    ClearAppsDataStatus, CommandErrorCode, EsimStatus, PerAppResult, RequestDeviceInfoStatus, StatusWord,
};

use crate::command::CommandKind;
use crate::names::OperationName;
use crate::wire::{span, time};
use crate::{Malformed, decode};

/// An operation of `devices.issueCommand`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Operation {
    /// By which it is asked for again.
    pub name: OperationName,
    /// Nothing more will come; says nothing about success. See [`Operation::outcome`].
    #[serde(default)]
    pub done: bool,
    /// The command as it was issued, with its own status.
    #[serde(default)]
    pub metadata: Option<CommandReport>,
    /// Why it could not be carried out, as a whole.
    #[serde(default)]
    pub error: Option<OperationError>,
}

/// `google.rpc.Status`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct OperationError {
    /// A code of gRPC: 1 is cancelled, 4 past its time.
    pub code: i32,
    /// English, for developers.
    pub message: String,
}

/// A command as Google tells of it. `newPassword` is not read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CommandReport {
    /// What was to be done.
    #[serde(rename = "type")]
    pub kind: Option<CommandKind>,
    /// When it was issued.
    #[serde(deserialize_with = "time::deserialize")]
    pub create_time: Option<SystemTime>,
    /// How long it waits for its device.
    #[serde(deserialize_with = "span::deserialize")]
    pub duration: Option<Duration>,
    /// Why the device did not do it.
    pub error_code: Option<CommandErrorCode>,
    /// Of `START_LOST_MODE`.
    pub start_lost_mode_status: Option<StatusWord>,
    /// Of `STOP_LOST_MODE`.
    pub stop_lost_mode_status: Option<StatusWord>,
    /// Of `CLEAR_APP_DATA`.
    pub clear_apps_data_status: Option<ClearAppsDataStatus>,
    /// Of `ADD_ESIM` and `REMOVE_ESIM`.
    pub esim_status: Option<EsimStatus>,
    /// Of `REQUEST_DEVICE_INFO`.
    pub request_device_info_status: Option<RequestDeviceInfoStatus>,
}

impl Operation {
    /// Reads an operation, as a call answers it and as a `COMMAND` notification brings it.
    pub fn decode(json: &[u8]) -> Result<Self, Malformed> {
        decode("an operation", json)
    }

    /// When Google stops waiting for the device: nothing can come of the command later.
    pub fn ends(&self) -> Option<SystemTime> {
        let command = self.metadata.as_ref()?;
        command.create_time?.checked_add(command.duration?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_operation_is_read_and_knows_its_end() {
        let json = br#"{"name":"enterprises/E/devices/D/operations/1","metadata":{
            "@type":"type.googleapis.com/google.android.devicemanagement.v1.Command","type":"LOCK",
            "createTime":"2024-01-02T00:00:00Z","duration":"600s","newPassword":"secret"}}"#;
        let operation = Operation::decode(json).unwrap();
        assert!(!operation.done);
        assert!(!format!("{operation:?}").contains("secret"));
        assert_eq!(operation.metadata.as_ref().unwrap().kind, Some(CommandKind::Lock));
        let ends = SystemTime::UNIX_EPOCH + Duration::from_secs(1_704_153_600 + 600);
        assert_eq!(operation.ends(), Some(ends));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Operation::decode(&bytes).map(|operation| (operation.outcome(), operation.ends()));
        }

        #[test]
        fn no_span_makes_its_end_overflow(seconds in any::<u64>()) {
            let json = format!(
                r#"{{"name":"enterprises/E/devices/D/operations/1","metadata":{{
                "createTime":"2024-01-02T00:00:00Z","duration":"{seconds}s"}}}}"#
            );
            let _ = Operation::decode(json.as_bytes()).unwrap().ends();
        }
    }
}
