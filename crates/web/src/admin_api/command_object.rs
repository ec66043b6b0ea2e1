//! A command as this API shows it.

use domain::{CommandDetails, CommandView, Timestamp};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// A command, without what it says: that may be secret.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Command)]
pub(super) struct CommandObject {
    /// Its id, the device's `CommandUUID`.
    uuid: String,
    /// Client id of its device.
    device: String,
    /// Whose channel: empty for the device's own, else the user's.
    channel: String,
    /// Apple's `RequestType`.
    #[schema(example = "DeviceLock")]
    request_type: String,
    /// The action of the Device API that it carries out, where it is one.
    #[schema(required)]
    action: Option<String>,
    /// At most one command of a device that is open has a given key.
    #[schema(required)]
    dedupe: Option<String>,
    /// `queued`, `handed_over`, `not_now`, `done`, `failed`, `expired` or `cancelled`.
    #[schema(example = "done")]
    state: &'static str,
    /// Higher ones go first.
    priority: i16,
    /// It goes not earlier than this.
    #[schema(required)]
    not_before: Option<String>,
    /// It is over from this time on.
    #[schema(required)]
    expires: Option<String>,
    /// How often the device put it off.
    put_off: u32,
    /// When the device is woken again for it, while it is open.
    #[schema(required)]
    next_push: Option<String>,
    /// Why the device would refuse it, by what is known of it now.
    #[schema(required)]
    faults: Option<String>,
    /// When it was asked.
    queued_at: String,
    /// When it was last handed over.
    #[schema(required)]
    handed_over_at: Option<String>,
    /// When it was over.
    #[schema(required)]
    finished_at: Option<String>,
}

/// One link of the causes of a failure, as the device told it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ErrorChainItem {
    #[schema(example = 12067)]
    code: i64,
    #[schema(example = "MCMDMErrorDomain")]
    domain: String,
    /// In the device's language.
    localized_description: String,
    #[schema(required)]
    us_english_description: Option<String>,
}

/// A command, and what its device said of it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CommandResult {
    #[serde(flatten)]
    command: CommandObject,
    /// Why it failed, the outermost cause first.
    error_chain: Vec<ErrorChainItem>,
    /// The device's answer, in Apple's keys: data in base64, secrets hidden. Null before there is one.
    #[schema(required, value_type = Option<Object>)]
    result: Option<Value>,
}

impl From<CommandView> for CommandObject {
    fn from(view: CommandView) -> Self {
        let time = |at: Option<Timestamp>| at.map(Timestamp::rfc3339);
        Self {
            uuid: view.id.to_string(),
            device: view.device.client_id(),
            channel: view.channel.0,
            request_type: view.request_type,
            action: view.action,
            dedupe: view.dedupe,
            state: view.state.name(),
            priority: view.schedule.priority,
            not_before: time(view.schedule.not_before),
            expires: time(view.schedule.expires),
            put_off: view.put_off,
            next_push: time(view.state.is_open().then_some(view.wake_at)),
            faults: view.faults,
            queued_at: view.queued_at.rfc3339(),
            handed_over_at: time(view.handed_over_at),
            finished_at: time(view.finished_at),
        }
    }
}

impl From<CommandDetails> for CommandResult {
    fn from(details: CommandDetails) -> Self {
        let item = |item: apple::ErrorChainItem| ErrorChainItem {
            code: item.code,
            domain: item.domain,
            localized_description: item.localized_description,
            us_english_description: item.us_english_description,
        };
        Self {
            command: details.command.into(),
            error_chain: details.error_chain.into_iter().map(item).collect(),
            result: details.result,
        }
    }
}
