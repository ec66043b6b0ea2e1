//! A device that was told to erase itself, or to remove its profile, and never said that it did.
//!
//! Apple's devices answer `EraseDevice` once, right before they do it, and never again: a missing answer does not mean
//! that nothing was erased. What is known then is that the command was handed over, and what came after.

//! An administrator may send both commands as they are, so that they are known by their request type, and a
//! `RemoveProfile` by the profile that it names: ours. That of an enrollment which another server made is named otherwise;
//! what becomes of it is known when the device says `CheckOut`, or comes back.

use apple::{Value, command::RawCommand};
use serde_json::json;

use super::profile_identifier;
use crate::{
    Command, CommandState, Device, Event, Mdm, Platform, Result, TenantId, Timestamp,
    commands::plain_payload, ports::Tx,
};

/// By what a device shows that it carried out a command that it did not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Evidence {
    /// The same hardware enrolled again.
    EnrolledAgain,
    /// It said `CheckOut`.
    CheckedOut,
}

impl Mdm {
    /// Whether the live enrollment of `device` is over although nothing said so: it was handed a command that ends it, and
    /// the device has been silent since.
    ///
    /// Then whoever next claims the device's identity takes the record over, as after an erase that was acknowledged: an
    /// administrator has given the old enrollment up, and nothing of its queue and escrow is handed on. A device that spoke
    /// after the hand-over is alive, so that a claim of its identity is one that an administrator has to look at. (A command
    /// that was merely queued, or put off, ends nothing.)
    pub(crate) async fn went(&self, tx: &mut dyn Tx, device: &Device) -> Result<bool> {
        Ok(self.parting_command(tx, device).await?.is_some_and(|command| {
            // Its answer is the last word of a device that erases itself.
            let last_word = command.finished_at.filter(|_| command.state == CommandState::Failed);
            let last_word = last_word.or(command.handed_over_at);
            let spoke = last_word.zip(device.last_contact).is_none_or(|(word, spoke)| spoke > word);
            command.state == CommandState::Acknowledged || !spoke
        }))
    }

    /// The newest command that was to end the enrollment of `device`, and may have done so.
    pub(crate) async fn parting_command(&self, tx: &mut dyn Tx, device: &Device) -> Result<Option<Command>> {
        for command in tx.parting_commands(device.id, device.enrollment).await? {
            if self.may_have_parted(tx.tenant(), device, &command)? {
                return Ok(Some(command));
            }
        }
        Ok(None)
    }

    fn may_have_parted(&self, tenant: TenantId, device: &Device, command: &Command) -> Result<bool> {
        let plain = plain_payload(&self.installation, command.id, command.payload.clone(), command.sealed)?;
        let Ok(request) = RawCommand::from_plist(&plain) else { return Ok(false) };
        let text = |key| request.keys().get(key).and_then(Value::as_string);
        Ok(match request.request_type() {
            "EraseDevice" => {
                command.state != CommandState::Failed
                    || device.facts.platform == Some(Platform::Macos)
                        && erases_in_spite_of_an_error(text("ObliterationBehavior"))
            }
            "RemoveProfile" => text("Identifier") == Some(profile_identifier(tenant).as_str()),
            _ => false,
        })
    }

    /// Settles the command as done that was to end the live enrollment of `device`, if it was handed over and not answered:
    /// the evidence is that the enrollment ended.
    pub(super) async fn settle_parting(
        &self,
        tx: &mut dyn Tx,
        device: &Device,
        evidence: Evidence,
        now: Timestamp,
    ) -> Result<()> {
        let command = self.parting_command(tx, device).await?;
        let Some(command) = command.filter(|command| shown_by(command, evidence)) else { return Ok(()) };
        if tx.settle_command(device.id, command.id, CommandState::Acknowledged, now).await? {
            let details = json!({
                "command": command.id, "request_type": command.request_type, "evidence": evidence.word(),
            });
            tx.settle_escrow(device.id, command.id, true, now).await?;
            tx.record(&Event::of_device("command.done", device.id, details, now)).await?;
        }
        Ok(())
    }
}

/// Apple's `ObliterationBehavior`: unless it is to stay as it is, a Mac that cannot erase its contents answers `Error`, and
/// erases itself another way (`protocol-subtleties` 39). Of all other devices an `Error` means that nothing was erased.
fn erases_in_spite_of_an_error(behavior: Option<&str>) -> bool {
    behavior != Some("DoNotObliterate")
}

/// A `CheckOut` shows that the profile is gone, and not that the device was erased.
fn shown_by(command: &Command, evidence: Evidence) -> bool {
    command.state.is_open()
        && (evidence == Evidence::EnrolledAgain || command.request_type == "RemoveProfile")
}

impl Evidence {
    fn word(self) -> &'static str {
        match self {
            Self::EnrolledAgain => "the device enrolled again",
            Self::CheckedOut => "the device checked out",
        }
    }
}
