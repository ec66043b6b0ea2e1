//! Everything that Google knows, and the hardware out there.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::{Duration, SystemTime};

use serde_json::{Map, Value};

use super::device::Hardware;
use super::event::{AndroidEvent, AndroidHappening, AndroidListener};
use super::pubsub::Pubsub;
use super::quota::Meter;
use super::refusal::Refusal;
use super::settings::{Clock, PretendGoogleSettings, Quota};
use super::time;

/// The state behind all endpoints.
pub(super) struct World {
    clock: Clock,
    quota: Quota,
    meter: Meter,
    serial: u64,
    pub(super) project_id: String,
    /// Seconds by which Google's clock is ahead of the settings'.
    pub(super) offset: i64,
    pub(super) away: bool,
    pub(super) refusals: VecDeque<Refusal>,
    /// Those for calls whose paths end so.
    pub(super) refusals_at: VecDeque<(String, Refusal)>,
    /// How many answers to issued commands are still to be lost.
    pub(super) lost_answers: usize,
    pub(super) access_tokens: HashMap<String, Access>,
    pub(super) sign_ups: BTreeMap<String, SignUp>,
    pub(super) enterprises: BTreeMap<String, Enterprise>,
    /// By the resource name of their latest enrollment.
    pub(super) hardware: BTreeMap<String, Hardware>,
    pub(super) pubsub: Pubsub,
    pub(super) listener: Option<AndroidListener>,
}

/// What an access token opens, and until when.
pub(super) struct Access {
    pub(super) scopes: Vec<String>,
    pub(super) end: SystemTime,
}

/// An invitation to sign up.
pub(super) struct SignUp {
    pub(super) url: String,
    /// Once an administrator has signed up.
    pub(super) token: Option<String>,
}

/// An enterprise with everything in it, by resource name.
#[derive(Default)]
pub(super) struct Enterprise {
    pub(super) resource: Map<String, Value>,
    pub(super) policies: BTreeMap<String, Map<String, Value>>,
    pub(super) tokens: BTreeMap<String, Token>,
    pub(super) devices: BTreeMap<String, Device>,
}

/// An enrollment token.
pub(super) struct Token {
    pub(super) resource: Value,
    pub(super) value: String,
    pub(super) end: SystemTime,
    pub(super) used: bool,
}

/// A device as Google knows it.
pub(super) struct Device {
    pub(super) resource: Value,
    pub(super) operations: BTreeMap<u64, Operation>,
}

/// A command on its way.
pub(super) struct Operation {
    pub(super) resource: Value,
    /// The command as it came, with the password that no answer shows.
    pub(super) command: Value,
    pub(super) end: SystemTime,
}

impl Operation {
    pub(super) fn is_done(&self) -> bool {
        self.resource["done"] == true
    }
}

impl World {
    pub(super) fn new(settings: &PretendGoogleSettings) -> Self {
        Self {
            clock: settings.clock.clone(),
            quota: settings.quota,
            meter: Meter::default(),
            serial: 0,
            project_id: settings.project_id.clone(),
            offset: 0,
            away: false,
            refusals: VecDeque::new(),
            refusals_at: VecDeque::new(),
            lost_answers: 0,
            access_tokens: HashMap::new(),
            sign_ups: BTreeMap::new(),
            enterprises: BTreeMap::new(),
            hardware: BTreeMap::new(),
            pubsub: Pubsub::default(),
            listener: None,
        }
    }

    /// Google's clock.
    pub(super) fn now(&self) -> SystemTime {
        time::shifted((self.clock)(), self.offset)
    }

    /// A number that was not there before.
    pub(super) fn next(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    pub(super) fn count_query(&mut self) -> Result<(), Refusal> {
        let now = self.now();
        self.meter.count(&self.quota, now)
    }

    /// What a test has ordered for the next call of such a path.
    pub(super) fn refusal_at(&mut self, path: &str) -> Result<(), Refusal> {
        let ordered = self.refusals_at.iter().position(|(ending, _)| path.ends_with(ending));
        ordered.and_then(|place| self.refusals_at.remove(place)).map_or(Ok(()), |(_, refusal)| Err(refusal))
    }

    /// Whether the answer to a command that was just issued is lost.
    pub(super) fn loses_answer(&mut self) -> bool {
        let lost = self.lost_answers > 0;
        self.lost_answers = self.lost_answers.saturating_sub(1);
        lost
    }

    pub(super) fn add_access_token(&mut self, scopes: Vec<String>, lifetime: Duration) -> String {
        let token = format!("ya29.pretend-{}", self.next());
        let end = self.now() + lifetime;
        self.access_tokens.insert(token.clone(), Access { scopes, end });
        token
    }

    pub(super) fn sign_up(&mut self, url: &str) -> Option<String> {
        let token = format!("enterprise-token-{}", self.next());
        let invited = self.sign_ups.values_mut().find(|it| it.url == url)?;
        Some(invited.token.get_or_insert(token).clone())
    }

    /// The enterprise in which the named thing is.
    pub(super) fn enterprise_of(&mut self, name: &str) -> Option<&mut Enterprise> {
        self.enterprises.get_mut(enterprise_name(name))
    }

    pub(super) fn device(&self, name: &str) -> Option<&Device> {
        self.enterprises.get(enterprise_name(name))?.devices.get(name)
    }

    pub(super) fn device_mut(&mut self, name: &str) -> Option<&mut Device> {
        self.enterprise_of(name)?.devices.get_mut(name)
    }

    pub(super) fn device_names(&self) -> Vec<String> {
        self.enterprises.values().flat_map(|it| it.devices.keys().cloned()).collect()
    }

    pub(super) fn hardware_mut(&mut self, name: &str) -> Option<&mut Hardware> {
        self.hardware.get_mut(name)
    }

    pub(super) fn hardware_names(&self) -> Vec<String> {
        self.hardware.keys().cloned().collect()
    }

    /// Tells whoever listens what a device did.
    pub(super) fn tell(&self, name: &str, what: AndroidHappening) {
        let (Some(listener), Some(hardware)) = (&self.listener, self.hardware.get(name)) else { return };
        listener(&AndroidEvent { serial_number: hardware.known_as.clone(), what });
    }

    /// Publishes a notification, if the enterprise wants that type; what is about a test is always wanted.
    pub(super) fn notify(&mut self, name: &str, kind: &str, data: Option<&Value>) {
        let now = self.now();
        let Some(enterprise) = self.enterprises.get(enterprise_name(name)) else { return };
        let wanted = enterprise.resource.get("enabledNotificationTypes").and_then(Value::as_array);
        let wanted = wanted.is_some_and(|types| types.iter().any(|it| it == kind));
        let topic = enterprise.resource.get("pubsubTopic").and_then(Value::as_str);
        if let Some(topic) = topic.filter(|_| wanted || kind == "TEST").map(str::to_owned) {
            self.pubsub.publish(&topic, kind, data, now);
        }
    }
}

/// The first two segments of a name.
fn enterprise_name(name: &str) -> &str {
    let end = name.match_indices('/').nth(1).map_or(name.len(), |(at, _)| at);
    &name[..end]
}
