//! A pretend iPhone, iPad or Mac that speaks to a server as real ones do, over HTTP alone, and checks all
//! that it is told.
//!
//! [`AppleDevice::enroll`] does it all: profile (`profile`), certificate (`scep`), check-ins (`check_in`).
//! From then on [`AppleDevice::connect`] has whole conversations (`channel`), and [`AppleDevice::idle`] and
//! its neighbours single steps of one; `declarations` is what it fetches by itself. What a server must never do is a [`Breach`]: an error to the caller,
//! and remembered in [`AppleDevice::breaches`]. `ledger` knows when a command may be handed over, `refusal`
//! what a status means; `carry_out` does what a command says, `execute` knows what a device answers.

mod carry_out;
mod channel;
mod check_in;
mod declarations;
mod departure;
mod event;
mod execute;
mod failure;
pub mod fleet;
mod handed;
mod identity;
mod keys;
mod ledger;
mod live;
mod model;
mod mood;
mod options;
mod profile;
mod push;
mod refusal;
mod renewal;
mod scep;
mod send;
mod stranger;
mod transport;
mod wire;

use apple::{EnrollmentProfile, Report};
use pki::{Certificate, PrivateKey};

pub use event::{Event, Happening, Listener};
pub use failure::{Breach, EnrollError, Failure, Step};
pub use fleet::{Fleet, Latencies, Progress, Tally};
pub use handed::{Done, Handed};
pub use identity::{Credential, HeaderForm, Identity, SIGNATURE_HEADER};
pub use keys::KeyPool;
pub use live::Wakes;
pub use model::{Application, DeviceModel, LostMode, Modem, Place, Secrets, UserEnrollment};
pub use mood::LostAnswer;
pub use options::{EnrollOptions, PushService, RenewalManners, ScepOptions, Trust};
pub use push::PushAddress;
pub use send::By;
pub use transport::{Clock, Transport, client_config};
pub use wire::{Answer, Request};

use declarations::Declarations;
use event::Teller;
use ledger::Ledger;
use mood::Mood;
use profile::Accepted;
use scep::{Asker, Scep};
use wire::Wire;

/// One pretend device that has the profile of a server.
pub struct AppleDevice {
    options: EnrollOptions,
    accepted: Accepted,
    credential: Credential,
    wire: Wire,
    push: PushAddress,
    generation: u32,
    management: Management,
    /// Profiles beside that of the enrollment, by identifier.
    profiles: Vec<String>,
    declarations: Declarations,
    /// What it has left with the server, in this enrollment.
    bootstrap_token: Option<Vec<u8>>,
    ledger: Ledger,
    mood: Mood,
    /// Handed over and not answered yet.
    current: Option<Handed>,
    /// A result whose 200 never arrived.
    owed: Option<Report>,
    teller: Teller,
    breaches: Vec<Breach>,
}

/// How far the management of a device has come.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Management {
    /// The profile is installed; nothing is said yet, or only `Authenticate`.
    Installed,
    /// The first `TokenUpdate` was taken.
    Enrolled,
    /// It is over, for this reason.
    Dropped(String),
}

impl AppleDevice {
    /// Enrolls as a device does that opens the link: profile, certificate, `Authenticate`, `TokenUpdate`; a Mac leaves its
    /// bootstrap token.
    ///
    /// # Errors
    /// The step that failed, and why; a [`Breach`] is told to the options' listener too.
    pub async fn enroll(options: EnrollOptions) -> Result<AppleDevice, EnrollError> {
        let mut device = AppleDevice::install(options).await?;
        device.authenticate().await.map_err(Step::Authenticate.failed())?;
        device.token_update().await.map_err(Step::TokenUpdate.failed())?;
        device.leave_bootstrap_token().await.map_err(Step::BootstrapToken.failed())?;
        Ok(device)
    }

    /// The first half of an enrollment: fetches the profile and gets the certificate, and says nothing to the
    /// server's check-in. [`authenticate`](Self::authenticate) and [`token_update`](Self::token_update) are
    /// the second.
    ///
    /// # Errors
    /// As [`AppleDevice::enroll`].
    pub async fn install(options: EnrollOptions) -> Result<AppleDevice, EnrollError> {
        let teller = Teller::new(&options.model.serial_number, options.listener.clone());
        let (accepted, credential) = obtain(&options, None).await.inspect_err(|error| {
            if let Failure::Breach(breach) = &error.cause {
                teller.tell(Happening::Breached(breach.clone()));
            }
        })?;
        let wire = open(&options, &accepted, &credential).map_err(Step::Certificate.failed())?;
        Ok(AppleDevice {
            push: address(&options, &accepted.profile.mdm.topic, 0),
            options,
            accepted,
            credential,
            wire,
            generation: 0,
            management: Management::Installed,
            profiles: Vec::new(),
            declarations: Declarations::default(),
            bootstrap_token: None,
            ledger: Ledger::default(),
            mood: Mood::default(),
            current: None,
            owed: None,
            teller,
            breaches: Vec::new(),
        })
    }

    /// Which device it is.
    pub fn model(&self) -> &DeviceModel {
        &self.options.model
    }

    /// Changes what it is, such as the OS after an update, or that its passcode is gone.
    pub fn model_mut(&mut self) -> &mut DeviceModel {
        &mut self.options.model
    }

    /// The profile that manages it, or did.
    pub fn profile(&self) -> &EnrollmentProfile {
        &self.accepted.profile
    }

    /// Its certificate and key.
    pub fn credential(&self) -> &Credential {
        &self.credential
    }

    /// Whom it trusts since the profile is installed.
    pub fn trusted_roots(&self) -> &[Certificate] {
        &self.accepted.roots
    }

    /// Where it can be pushed to.
    pub fn push_address(&self) -> &PushAddress {
        &self.push
    }

    /// Whether its first `TokenUpdate` was taken and nothing has ended the management since.
    pub fn is_enrolled(&self) -> bool {
        self.management == Management::Enrolled
    }

    /// Every breach of the protocol so far.
    pub fn breaches(&self) -> &[Breach] {
        &self.breaches
    }

    /// The command that waits for this device's answer.
    pub fn current(&self) -> Option<&Handed> {
        self.current.as_ref()
    }

    /// Tells everything from now on to `listener` too.
    pub fn subscribe(&mut self, listener: Listener) {
        self.teller.add(listener);
    }

    /// Takes the keys of its next certificates from here.
    pub fn set_keys(&mut self, keys: KeyPool) {
        self.options.keys = keys;
    }

    /// Gives it another clock; connections are opened anew, because they judge certificates by it.
    ///
    /// # Errors
    /// [`Failure::Unreachable`] where no connection can be prepared.
    pub fn set_clock(&mut self, clock: Clock) -> Result<(), Failure> {
        self.options.transport = Transport::new(clock);
        self.wire = open(&self.options, &self.accepted, &self.credential)?;
        Ok(())
    }

    fn is_over(&self) -> bool {
        matches!(self.management, Management::Dropped(_))
    }

    /// Remembers and tells a breach; passes everything through.
    fn note<T>(&mut self, result: Result<T, Failure>) -> Result<T, Failure> {
        if let Err(Failure::Breach(breach)) = &result {
            self.breaches.push(breach.clone());
            self.teller.tell(Happening::Breached(breach.clone()));
        }
        result
    }

    fn drop_management(&mut self, why: impl Into<String>) {
        let why = why.into();
        self.current = None;
        self.owed = None;
        if !self.is_over() {
            self.teller.tell(Happening::Unenrolled { why: why.clone() });
            self.management = Management::Dropped(why);
        }
    }
}

/// Profile and certificate, for a key other than the old one.
async fn obtain(
    options: &EnrollOptions,
    old: Option<&PrivateKey>,
) -> Result<(Accepted, Credential), EnrollError> {
    let accepted = profile::fetch(options).await.map_err(Step::Profile.failed())?;
    let wire = options.transport.trusting(&accepted.roots).map_err(Step::Profile.failed())?;
    if let (Identity::Signature(_), false) = (&options.identity, accepted.profile.mdm.sign_message) {
        return Err(Step::Profile.failed()(Breach("the profile does not ask for signed messages".into())));
    }
    let key = options.keys.key(old).await.map_err(Step::Certificate.failed())?;
    let scep = Scep {
        wire: &wire,
        payload: &accepted.profile.scep,
        options: options.scep,
        clock: options.transport.clock(),
    };
    let credential = scep.certificate(key, Asker::Newcomer(options.model.calling_name())).await?;
    Ok((accepted, credential))
}

/// A new push address, which the push service has issued.
fn address(options: &EnrollOptions, topic: &str, generation: u32) -> PushAddress {
    let address = PushAddress::new(&options.model, topic, generation);
    if let Some(issued) = &options.push_service {
        issued(&address);
    }
    address
}

/// The connection of an enrolled device.
fn open(options: &EnrollOptions, accepted: &Accepted, credential: &Credential) -> Result<Wire, Failure> {
    match options.identity {
        Identity::TlsClientCertificate => options.transport.identified(&accepted.roots, credential),
        Identity::Signature(_) | Identity::Header { .. } => options.transport.trusting(&accepted.roots),
    }
}
