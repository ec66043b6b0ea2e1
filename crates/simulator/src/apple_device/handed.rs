//! A command as it was handed to a device, whether it can be read or not.

use apple::command::RawCommand;
use apple::{Command, Envelope, MalformedCommand, Status};

use super::failure::Breach;
use super::wire::Answer;

/// A command that waits for the device's answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Handed {
    /// What the answer will name.
    pub command_uuid: String,
    /// Apple's `RequestType`; empty where there is none.
    pub request_type: String,
    /// The command, or why the device cannot read it.
    pub command: Result<Command, MalformedCommand>,
    /// Of a command that is not among [`Command`]: its keys, where they can be read.
    pub raw: Option<RawCommand>,
}

/// What became of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// Which command.
    pub command_uuid: String,
    /// Apple's `RequestType`.
    pub request_type: String,
    /// What the device reported; `Acknowledged` if it was gone before it could.
    pub status: Status,
}

impl Done {
    pub(super) fn is_put_off(&self) -> bool {
        self.status == Status::NotNow
    }
}

impl Handed {
    /// Reads the answer to a report: empty, or a command that can at least be named.
    pub(super) fn read(answer: &Answer) -> Result<Option<Handed>, Breach> {
        if answer.body.is_empty() {
            return Ok(None);
        }
        let media_type = answer.media_type();
        if !matches!(media_type.as_str(), "application/xml" | "text/xml" | "application/x-apple-aspen-mdm") {
            return Err(Breach(format!("a command has the content type {media_type:?} and not one of XML")));
        }
        match Envelope::parse(&answer.body) {
            Ok(Envelope { command_uuid, command }) => {
                let request_type = command.request_type().to_owned();
                Ok(Some(Handed { command_uuid, request_type, command: Ok(command), raw: None }))
            }
            Err(MalformedCommand { command_uuid: None, cause, .. }) => {
                Err(Breach(format!("a command cannot be read, nor answered: {cause}")))
            }
            Err(error) => Ok(Some(Handed {
                command_uuid: error.command_uuid.clone().unwrap_or_default(),
                request_type: error.request_type.clone().unwrap_or_default(),
                command: Err(error),
                raw: RawCommand::from_plist(&answer.body).ok(),
            })),
        }
    }
}
