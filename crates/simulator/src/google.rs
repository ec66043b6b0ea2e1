//! A pretend Google: OAuth, the Android Management API, Pub/Sub, and Android devices behind it.
//!
//! It reads JSON by tables of its own, not by the types of our client, so that both cannot share a
//! misunderstanding. `listener` takes requests and `desk` sends them on: to `oauth` for tokens, to
//! `management` for the Android Management API, to `pubsub` for notifications. `world` is what all of them
//! share, `shape` checks bodies, and `device` is what a pretend Android device does when it is in touch
//! ([`PretendGoogle::sync`]); `life` lets devices be in touch by themselves, and `event` is what is told of it.

mod desk;
mod device;
mod event;
mod keys;
mod life;
mod listener;
mod management;
mod oauth;
mod pubsub;
mod push;
mod quota;
mod refusal;
mod request;
mod settings;
mod shape;
mod time;
mod world;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;

pub use desk::Arrival;
pub use device::{AndroidDevice, Application};
pub use event::{AndroidEvent, AndroidHappening, AndroidListener};
pub use keys::service_account;
pub use pubsub::Faults;
pub use settings::{Clock, PretendGoogleSettings, Quota};

use desk::Desk;
use keys::Key;

/// A running pretend Google. Dropped, it stops listening.
pub struct PretendGoogle {
    address: SocketAddr,
    account: String,
    desk: Arc<Desk>,
    _stop: watch::Sender<()>,
}

impl PretendGoogle {
    /// Starts to listen, with fresh keys. Needs a tokio runtime.
    pub async fn start(settings: PretendGoogleSettings) -> io::Result<Self> {
        let listener = TcpListener::bind(settings.address).await?;
        let address = listener.local_addr()?;
        let (account, google) = (Key::generate()?, Key::generate()?);
        let file = keys::account_file(&account, &settings.project_id, &format!("http://{address}/token"))?;
        let desk = Arc::new(Desk::new(settings, account, google, address));
        let (stop, stopped) = watch::channel(());
        tokio::spawn(listener::run(listener, Arc::clone(&desk), stopped.clone()));
        tokio::spawn(push::run(Arc::clone(&desk), stopped));
        Ok(Self { address, account: file, desk, _stop: stop })
    }

    /// The base address of everything: `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where the keys are by which it signs pushes, as a JWK set.
    pub fn certificates_url(&self) -> String {
        format!("{}/oauth2/v3/certs", self.url())
    }

    /// A service account's file, as Google would hand it out; its project owns everything here.
    pub fn service_account(&self) -> &str {
        &self.account
    }

    /// The e-mail of that account, which is also in whose name pushes are signed.
    pub fn service_account_email(&self) -> String {
        keys::account_email(&self.desk.settings.project_id)
    }

    /// While away, everything is answered with 503.
    pub fn set_away(&self, away: bool) {
        self.desk.world(|world| world.away = away);
    }

    /// Lets Google's clock differ from the settings', in seconds.
    pub fn set_clock_offset(&self, seconds: i64) {
        self.desk.world(|world| world.offset = seconds);
    }

    /// Every access token that was given out is bad from now on.
    pub fn revoke_tokens(&self) {
        self.desk.world(|world| world.access_tokens.clear());
    }

    /// The next call of the Android Management API or of Pub/Sub with a good token is answered so; several
    /// calls queue up. `status` is HTTP's, `word` Google's; `retry_after` is sent as it is.
    pub fn refuse_next(&self, status: u16, word: &str, retry_after: Option<&str>) {
        let refusal = refusal::Refusal::ordered(status, word, retry_after);
        self.desk.world(|world| world.refusals.push_back(refusal));
    }

    /// Tells `listener` of everything that devices do from now on.
    pub fn set_listener(&self, listener: AndroidListener) {
        self.desk.world(|world| world.listener = Some(listener));
    }

    /// The next call of the Android Management API whose path, with its verb, ends so is answered like that; several
    /// refusals queue up.
    pub fn refuse_next_at(&self, ending: &str, status: u16, word: &str, retry_after: Option<&str>) {
        let refusal = refusal::Refusal::ordered(status, word, retry_after);
        self.desk.world(|world| world.refusals_at.push_back((ending.to_owned(), refusal)));
    }

    /// The next so many commands are issued, but answered with 503: who asked cannot know that.
    pub fn lose_answers(&self, count: usize) {
        self.desk.world(|world| world.lost_answers = count);
    }

    /// While held, calls that issue a command get no answer, and nothing comes of them; then they go on.
    pub fn hold_commands(&self, hold: bool) {
        self.desk.hold_commands(hold);
    }

    /// How many such calls are held now.
    pub fn held_commands(&self) -> usize {
        self.desk.held_commands()
    }

    /// What goes wrong with notifications that are published from now on.
    pub fn set_faults(&self, faults: Faults) {
        self.desk.world(|world| world.pubsub.faults = faults);
    }

    /// Publishes what [`Faults::delay`] has held back, oldest first.
    pub fn release_delayed(&self) {
        self.desk.change(|world| world.pubsub.release());
    }

    /// An administrator signs up at the URL of a sign-up: answers the `enterpriseToken` that Google would
    /// send back; `None` if there is no such sign-up.
    pub fn sign_up(&self, signup_url: &str) -> Option<String> {
        self.desk.world(|world| world.sign_up(signup_url))
    }

    /// The last 10,000 requests, oldest first.
    pub fn arrivals(&self) -> Vec<Arrival> {
        self.desk.arrivals()
    }

    /// Publishes a `TEST` message, which has no data, to the enterprise's topic.
    pub fn publish_test(&self, enterprise: &str) {
        self.desk.change(|world| world.notify(enterprise, "TEST", None));
    }

    /// A device enrolls with a token's secret value, and publishes `ENROLLMENT`: answers its resource name.
    /// An error says why the token does not do.
    pub fn enroll(&self, token: &str, device: AndroidDevice) -> Result<String, String> {
        self.desk.change(|world| world.enroll(token, device))
    }

    /// The device is in touch: it does what it was told, and reports. Answers how many commands it ended;
    /// `None` if there is no such device (any more).
    pub fn sync(&self, name: &str) -> Option<usize> {
        self.desk.change(|world| world.sync(name))
    }

    /// Every device is in touch, in the order of their names.
    pub fn sync_all(&self) -> usize {
        let names = self.desk.world(|world| world.hardware_names());
        names.iter().filter_map(|name| self.sync(name)).sum()
    }

    /// Resource names of all devices that Google has.
    pub fn device_names(&self) -> Vec<String> {
        self.desk.world(|world| world.device_names())
    }

    /// The resource of a device, as `devices.get` would answer it.
    pub fn device(&self, name: &str) -> Option<Value> {
        self.desk.world(|world| world.device(name).map(|device| device.resource.clone()))
    }

    /// Changes what the device is; Google hears of it at the next [`PretendGoogle::sync`].
    pub fn change(&self, name: &str, change: impl FnOnce(&mut AndroidDevice)) -> bool {
        self.desk.world(|world| world.hardware_mut(name).map(|it| change(&mut it.facts)).is_some())
    }

    /// The hardware as it is now, also after Google has given its record up.
    pub fn hardware(&self, name: &str) -> Option<AndroidDevice> {
        self.desk.world(|world| world.hardware_mut(name).map(|it| it.facts.clone()))
    }

    /// The password that the device was last given by a command.
    pub fn password(&self, name: &str) -> Option<String> {
        self.desk.world(|world| world.hardware_mut(name)?.password.clone())
    }

    /// Whether the device has wiped itself (or its work profile).
    pub fn is_wiped(&self, name: &str) -> bool {
        self.desk.world(|world| world.hardware_mut(name).is_some_and(|it| it.wiped))
    }

    /// The device's user gets out of lost mode, and the device logs that.
    pub fn end_lost_mode_by_user(&self, name: &str) -> bool {
        self.desk.change(|world| world.end_lost_mode_by_user(name))
    }

    /// How many messages of a subscription nobody has acknowledged yet.
    pub fn waiting(&self, subscription: &str) -> usize {
        self.desk.world(|world| world.pubsub.waiting(subscription))
    }

    /// An OpenID token such as a push carries, with what `change` makes of its claims.
    pub fn push_token(&self, audience: &str, change: impl FnOnce(&mut Value)) -> String {
        let mut claims = self.desk.push_claims(audience, &self.service_account_email());
        change(&mut claims);
        self.desk.google.jwt(&claims)
    }

    /// A push as Google would post it: for tests that hand one over by themselves.
    pub fn push_body(subscription: &str, message: &Value) -> Value {
        json!({"message": message, "subscription": subscription})
    }
}
