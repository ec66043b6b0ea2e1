//! A device that was told to erase itself, or to remove its profile, and never said that it did.
//!
//! Apple's devices answer `EraseDevice` once, right before they do it, and never again: a missing answer does not mean
//! that nothing was erased. What is known then is that the command was handed over, and what came after.

use serde_json::json;

use crate::{ActionKind, Command, CommandState, Device, Event, Result, Timestamp, ports::Tx};

/// What ends an enrollment when it is carried out.
const PARTING: [ActionKind; 2] = [ActionKind::WipeFull, ActionKind::WipePartial];

/// By what a device shows that it carried out a command that it did not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Evidence {
    /// The same hardware enrolled again.
    EnrolledAgain,
    /// It said `CheckOut`.
    CheckedOut,
}

/// Whether the live enrollment of `device` is over although nothing said so: it was handed a command that ends it, and the
/// device has been silent since.
///
/// Then whoever next claims the device's identity takes the record over, as after an erase that was acknowledged: an
/// administrator has given the old enrollment up, and nothing of its queue and escrow is handed on. A device that spoke
/// after the hand-over is alive, so that a claim of its identity is one that an administrator has to look at. (A command
/// that was merely queued, or put off, ends nothing.)
pub(super) async fn went(tx: &mut dyn Tx, device: &Device) -> Result<bool> {
    let Some(command) = tx.parting_command(device.id, device.enrollment, PARTING).await? else {
        return Ok(false);
    };
    let spoke = command.handed_over_at.zip(device.last_contact).is_none_or(|(handed, spoke)| spoke > handed);
    Ok(command.state == CommandState::Acknowledged || !spoke)
}

/// Settles the command as done that was to end the live enrollment of `device`, if it was handed over and not answered:
/// the evidence is that the enrollment ended.
pub(super) async fn settle_parting(
    tx: &mut dyn Tx,
    device: &Device,
    evidence: Evidence,
    now: Timestamp,
) -> Result<()> {
    let command = tx.parting_command(device.id, device.enrollment, PARTING).await?;
    let Some(command) = command.filter(|command| shown_by(command, evidence)) else { return Ok(()) };
    if tx.settle_command(device.id, command.id, CommandState::Acknowledged, now).await? {
        let details = json!({
            "command": command.id, "request_type": command.request_type, "evidence": evidence.word(),
        });
        tx.record(&Event::of_device("command.done", device.id, details, now)).await?;
    }
    Ok(())
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
