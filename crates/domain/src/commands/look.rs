//! Looking at commands, and taking them back.

use apple::{Dictionary, ErrorChainItem, Report, Value};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value as Json, json};

use super::{
    result::{is_plain, report_of},
    send::shown_key,
};
use crate::{
    Actor, Command, CommandFilter, CommandId, CommandState, CommandView, DeviceId, DeviceName, Error, Event,
    Mdm, Result, Role, Thing,
};

/// The longest page of commands.
pub const COMMANDS_LIMIT: u32 = 1000;

/// What stands in a report beside the answer itself.
const ENVELOPE: [&str; 12] = [
    "CommandUUID",
    "Status",
    "UDID",
    "EnrollmentID",
    "EnrollmentUserID",
    "UserID",
    "UserShortName",
    "UserLongName",
    "NotOnConsole",
    "ErrorChain",
    "RequestType",
    "MessageType",
];

/// What stands for a value that is nobody's business.
const HIDDEN: &str = "(hidden)";

/// A command with what its device said of it.
#[derive(Clone, Debug, PartialEq)]
pub struct CommandDetails {
    /// The command.
    pub command: CommandView,
    /// Why the device failed, the outermost cause first.
    pub error_chain: Vec<ErrorChainItem>,
    /// What the device answered, without secrets; data in base64. `None` before it did.
    pub result: Option<Json>,
}

impl Mdm {
    /// One command, and what its device answered.
    pub async fn command(&self, actor: &Actor, id: CommandId) -> Result<CommandDetails> {
        actor.require(Role::Viewer)?;
        let found = self.store.read(actor.tenant).await?.find_command(id).await?;
        let command = found.ok_or(Error::NotFound(Thing::Command))?;
        let report = report_of(&self.installation, &command)?;
        Ok(details(command, report))
    }

    /// Those that match and are older than `before`, the newest first; a page has at most [`COMMANDS_LIMIT`].
    pub async fn commands(
        &self,
        actor: &Actor,
        filter: &CommandFilter,
        before: Option<CommandId>,
        limit: u32,
    ) -> Result<Vec<CommandView>> {
        actor.require(Role::Viewer)?;
        let mut tx = self.store.read(actor.tenant).await?;
        let found = tx.commands(filter, before, limit.clamp(1, COMMANDS_LIMIT)).await?;
        Ok(found.into_iter().map(shown).collect())
    }

    /// Takes back a command that its device does not have: one that waits, or that was put off.
    ///
    /// # Errors
    /// [`Error::Conflict`] where the device has it, and where it is over.
    pub async fn cancel_command(&self, actor: &Actor, id: CommandId) -> Result<CommandView> {
        actor.require(Role::Operator)?;
        let now = self.clock.now();
        let mut tx = self.store.begin(actor.tenant).await?;
        let command = tx.find_command(id).await?.ok_or(Error::NotFound(Thing::Command))?;
        let google = tx.android_calls(command.device).await?.into_iter().any(|call| call.id == id);
        if google {
            tx.devices_for_update(&[command.device]).await?;
        }
        if !tx.cancel_command(command.device, id, now).await? {
            // What it is by now, not what it was when it was looked up.
            let state = tx.find_command(id).await?.map_or(command.state, |command| command.state);
            return Err(Error::Conflict(why_not(state, google)));
        }
        if google {
            tx.remove_android_call(id).await?;
            self.go_on_after(&mut *tx, &command, CommandState::Cancelled).await?;
        }
        let details = json!({ "command": id, "request_type": command.request_type });
        tx.record(&Event::by(actor, "command.cancelled", Some(command.device), details, now)).await?;
        tx.commit().await?;
        Ok(CommandView { state: CommandState::Cancelled, finished_at: Some(now), ..view(command) })
    }

    /// The device of that name, as [`DeviceName::parse`] reads it.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a name of another form, too.
    pub async fn device_called(&self, actor: &Actor, name: &str) -> Result<DeviceId> {
        actor.require(Role::Viewer)?;
        let name = DeviceName::parse(name).ok_or(Error::NotFound(Thing::Device))?;
        let found = self.store.read(actor.tenant).await?.device_named(&name).await?;
        found.map(|device| device.id).ok_or(Error::NotFound(Thing::Device))
    }
}

fn why_not(state: CommandState, google: bool) -> String {
    match state {
        CommandState::HandedOver if google => "Google has the command, or may have it, for the device".into(),
        CommandState::HandedOver => "the device has the command, and has not answered".into(),
        state => format!("the command is over: {}", state.name().replace('_', " ")),
    }
}

fn shown(view: CommandView) -> CommandView {
    CommandView { dedupe: view.dedupe.map(shown_key), ..view }
}

/// A command as it is shown.
pub(super) fn view(command: Command) -> CommandView {
    shown(CommandView {
        id: command.id,
        device: command.device,
        channel: command.channel,
        request_type: command.request_type,
        action: command.action,
        dedupe: command.dedupe,
        state: command.state,
        schedule: command.schedule,
        put_off: command.put_off,
        wake_at: command.wake_at,
        faults: command.judged.and_then(|judged| judged.faults),
        queued_at: command.queued_at,
        handed_over_at: command.handed_over_at,
        finished_at: command.finished_at,
    })
}

fn details(command: Command, report: Option<Report>) -> CommandDetails {
    let error_chain = report.as_ref().map(|report| report.error_chain.clone()).unwrap_or_default();
    let result = report.map(|mut report| {
        ENVELOPE.iter().for_each(|key| drop(report.body.remove(key)));
        object(&report.body)
    });
    CommandDetails { command: view(command), error_chain, result }
}

fn object(dictionary: &Dictionary) -> Json {
    let shown = |(name, value): (&String, &Value)| {
        let hidden = apple::command::is_secret_name(name) && !is_plain(value);
        (name.clone(), if hidden { HIDDEN.into() } else { json_of(value) })
    };
    Json::Object(dictionary.iter().map(shown).collect())
}

fn json_of(value: &Value) -> Json {
    match value {
        Value::Boolean(truth) => (*truth).into(),
        Value::Integer(number) => {
            number.as_signed().map(Json::from).or(number.as_unsigned().map(Json::from)).unwrap_or(Json::Null)
        }
        Value::Real(number) => (*number).into(),
        Value::String(text) => text.as_str().into(),
        Value::Date(date) => date.to_xml_format().into(),
        Value::Data(bytes) => STANDARD.encode(bytes).into(),
        Value::Array(items) => items.iter().map(json_of).collect(),
        Value::Dictionary(inner) => object(inner),
        _ => Json::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_shown_without_its_secrets() {
        let inner = Dictionary::from_iter([
            ("PasscodePresent", Value::from(true)),
            ("FDE_PersonalRecoveryKeyDeviceKey", "hush".into()),
        ]);
        let answer = Dictionary::from_iter([
            ("UnlockToken", Value::Data(vec![1])),
            ("ActivationLockBypassCode", "hush".into()),
            ("Tokens", Value::Array(vec!["hush".into()])),
            ("Certificate", Value::Data(vec![0, 1, 2])),
            ("SecurityInfo", Value::Dictionary(inner)),
            ("Count", 3.into()),
        ]);
        let shown = object(&answer);
        assert!(!shown.to_string().contains("hush"));
        assert_eq!(shown["UnlockToken"], HIDDEN);
        assert_eq!((&shown["Certificate"], &shown["Count"]), (&"AAEC".into(), &3.into()));
        assert_eq!(shown["SecurityInfo"]["PasscodePresent"], true);
    }
}
