//! What the server knows and decides: devices, their enrollments, the commands queued for them, and who may ask for what.
//!
//! Nothing here reads a socket, a file, an environment variable or the system clock; the world comes in through the
//! traits in [`ports`]. Every operation is one method on [`Mdm`]: start there, then read the file of the noun that you
//! are after.

mod accounts;
mod actions;
mod actor;
mod admins;
mod android;
mod applications;
mod apps;
mod certificates;
mod commands;
mod declarations;
mod device_cas;
mod devices;
mod diagnosis;
mod enrollments;
mod error;
mod escrow;
mod events;
#[cfg(test)]
mod fixtures;
mod groups;
mod health;
mod ids;
mod installation;
mod key_ring;
mod lifecycle;
mod links;
pub mod ports;
mod purges;
mod push_certificates;
mod pushes;
mod rate_limits;
mod retention;
mod secrets;
mod set_up;
mod settings;
mod tenants;
mod timestamp;
mod users;

use std::sync::Arc;

pub use accounts::{
    ACCESS_TOKEN_LIFETIME, AccessToken, Account, AccountId, CountedAttempt, Login, LoginKind, Session,
    ShownToken, count_attempt,
};
pub use actions::{
    Action, ActionKind, DisableLostMode, EnableLostMode, Lock, RequestAppList, RequestLocation,
    ResetPasscode, Wipe,
};
pub use actor::{Actor, Role, Subject};
pub use admins::{Admin, ApiKey};
pub use android::{
    ANDROID_PUSH_PATH, AndroidEnrollment, AndroidMethod, AndroidPusher, AndroidState, NewAndroidEnrollment,
    PushRefusal,
};
pub use applications::Application;
pub use apps::{APP_LIMIT, App, AppList, AppPage, AppView, InstalledApp, ManagedApp};
pub use certificates::ScepAnswer;
pub use commands::{
    APPLIED, COMMANDS_LIMIT, Command, CommandDetails, CommandFilter, CommandState, CommandView, Judgement,
    NewCommand, NotSent, PRIORITY_LIMIT, Polled, RENEWAL, ReportOutcome, SEND_LIMIT, Schedule, Sent,
};
pub use devices::{
    AndroidChannel, AndroidFacts, AndroidManagement, Device, DeviceFilter, DeviceName, DevicePage,
    DeviceView, EnrollmentKind, Facts, FinderTexts, HeldDevice, Location, PAGE_LIMIT, Page, Platform, Span,
};
pub use diagnosis::Diagnosis;
pub use enrollments::{
    CertificateState, Channel, ChannelKey, CheckInAnswer, Credential, Enrollment, EnrollmentAnswer,
    EnrollmentState, IdentityCertificate, NoEnrollment, Refusal, Rejection,
};
pub use error::{Error, Forbidden, Result, Thing, Unsupported};
pub use escrow::{DeviceSecret, Revealed, RevealedPin, SecretStanding};
pub use events::Event;
pub use groups::Group;
pub use health::{Health, PushCertificateHealth};
pub use ids::{
    AdminId, ApiKeyId, ApplicationId, CommandId, DeviceId, EnrollmentId, EscrowId, GroupId, LinkId, PurgeId,
    TenantId, UserId,
};
pub use installation::Installation;
pub use key_ring::Resealed;
pub use lifecycle::{AUDIENCE, Claims, Limited, TOKEN_LIFETIME, TokenKeyState};
pub use links::{LONGEST_LINK, Link, NewLink};
pub use ports::{ChannelState, Directory, Identity, PushState};
pub use purges::{PURGE_LIMIT, Purge, PurgeCounts};
pub use push_certificates::PushCertificate;
pub use pushes::KEEP_PUSHES;
pub use rate_limits::{EarlierRequests, LimitedRequest, PER_DAY, PER_SECOND};
pub use retention::Old;
pub use set_up::FirstSteps;
pub use settings::{Settings, is_http_loopback};
pub use tenants::Tenant;
pub use timestamp::Timestamp;
pub use users::{NewUser, Person, User, UserChange, UserPage};

/// The world that the domain is put into.
#[derive(Clone)]
pub struct World {
    /// The database, by tenant.
    pub store: Arc<dyn ports::Store>,
    /// The database, across tenants.
    pub directory: Arc<dyn ports::Directory>,
    /// The hot road.
    pub road: Arc<dyn ports::DeviceRoad>,
    /// The workers' claims.
    pub outbox: Arc<dyn ports::Outbox>,
    /// Wakes the workers.
    pub wake: Arc<dyn ports::Wake>,
    /// The clock.
    pub clock: Arc<dyn ports::Clock>,
    /// Randomness.
    pub random: Arc<dyn ports::Random>,
    /// Password hashing.
    pub hashing: Arc<dyn ports::Hashing>,
    /// Google's device management.
    pub google: Arc<dyn ports::Android>,
}

/// The server's operations.
pub struct Mdm {
    store: Arc<dyn ports::Store>,
    directory: Arc<dyn ports::Directory>,
    road: Arc<dyn ports::DeviceRoad>,
    outbox: Arc<dyn ports::Outbox>,
    wake: Arc<dyn ports::Wake>,
    clock: Arc<dyn ports::Clock>,
    random: Arc<dyn ports::Random>,
    hashing: Arc<dyn ports::Hashing>,
    google: Arc<dyn ports::Android>,
    installation: Installation,
    settings: Settings,
}

impl Mdm {
    /// Puts the server's rules on top of the world it is given.
    pub fn new(world: World, installation: Installation, settings: Settings) -> Self {
        let World { store, directory, road, outbox, wake, clock, random, hashing, google } = world;
        Self { store, directory, road, outbox, wake, clock, random, hashing, google, installation, settings }
    }

    /// Now, by the server's clock.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }
}
