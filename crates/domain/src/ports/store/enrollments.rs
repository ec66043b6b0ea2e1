//! How devices come to us, and by what they are known: links, enrollments with their channels, certificates.

use async_trait::async_trait;

use crate::{
    CertificateState, Channel, ChannelKey, DeviceId, Enrollment, EnrollmentId, IdentityCertificate, Link,
    LinkId, Result, Timestamp, UserId,
};

/// Enrollment links.
#[async_trait]
pub trait Links {
    /// Adds a link.
    async fn add_link(&mut self, link: &Link) -> Result<()>;

    /// Counts a use, and gives the link; `None` if it is used up or over at `now`, and nothing was counted.
    async fn use_link(&mut self, id: LinkId, now: Timestamp) -> Result<Option<Link>>;

    /// A user's links for any device that are not used and not over at `now`, the longest-lived first, at most `limit`.
    async fn unused_links(&mut self, user: UserId, now: Timestamp, limit: u32) -> Result<Vec<Link>>;

    /// Counts a way to enroll that a user makes for themselves; false, and not counted, where there are `most` in this stretch of
    /// time already.
    async fn count_own_link(&mut self, user: UserId, stretch: i64, most: u32) -> Result<bool>;
}

/// What a channel knows of its declarations, as far as we know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// The `DeclarationsToken` that it was last told.
    pub token: String,
    /// Since when that is the token.
    pub at: Timestamp,
    /// Which of them it does not carry out, and why: JSON.
    pub refused: Option<String>,
}

/// How a channel stands with APNs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushState {
    /// Whether there is a token that APNs has not called dead.
    pub has_token: bool,
    /// When the device last told its token.
    pub told_at: Timestamp,
    /// When it was last pushed to, and what APNs said.
    pub last: Option<(Timestamp, String)>,
    /// When the next push is due, and how often it was tried without success.
    pub due: Option<(Timestamp, u32)>,
}

/// A channel of an enrollment, without its secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelState {
    /// Which one.
    pub key: ChannelKey,
    /// Short name of its user; `None` for the device's own, and where it was never told.
    pub user_name: Option<String>,
    /// Whether it said in quarantine that it waits to be told to go on.
    pub awaits: bool,
    /// How it stands with APNs.
    pub push: PushState,
}

/// Enrollments and their channels.
#[async_trait]
pub trait Enrollments {
    /// Adds an enrollment.
    async fn add_enrollment(&mut self, enrollment: &Enrollment) -> Result<()>;

    /// An enrollment, its row locked until the transaction ends where several may write; with it, in the order in
    /// which all lock them, those of its device and of the one that holds its key, which a check-in may lock next.
    async fn enrollment_for_update(&mut self, id: EnrollmentId) -> Result<Option<Enrollment>>;

    /// An enrollment.
    async fn enrollment(&mut self, id: EnrollmentId) -> Result<Option<Enrollment>>;

    /// Writes an enrollment's device, key, state and claims.
    async fn set_enrollment(&mut self, enrollment: &Enrollment) -> Result<()>;

    /// Whether another enrollment that is not over holds `key`.
    async fn key_is_held(&mut self, key: &str, except: EnrollmentId) -> Result<bool>;

    /// A channel of an enrollment.
    async fn channel(&mut self, enrollment: EnrollmentId, key: &ChannelKey) -> Result<Option<Channel>>;

    /// Every channel of an enrollment, the device's own first; of users at most 1000. The pushes are those of `device`.
    async fn channels(&mut self, device: DeviceId, enrollment: EnrollmentId) -> Result<Vec<ChannelState>>;

    /// The channels of `user`, by id or short name, in the enrollments that `devices` now have; of several with that name on
    /// one device the one that was told last. Devices without one are left out.
    async fn user_channels(
        &mut self,
        devices: &[DeviceId],
        user: &str,
    ) -> Result<Vec<(DeviceId, ChannelKey)>>;

    /// Gives all channels of an enrollment, with all that is kept with them, to another record of its device.
    async fn move_channels(&mut self, enrollment: EnrollmentId, to: DeviceId) -> Result<()>;

    /// Writes down whether a channel waits to be told to go on.
    async fn set_awaiting(&mut self, enrollment: EnrollmentId, key: &ChannelKey, awaits: bool) -> Result<()>;

    /// Adds or replaces a channel of an enrollment; an unlock token or a user's name of `None` leaves the stored one.
    async fn set_channel(
        &mut self,
        device: DeviceId,
        enrollment: EnrollmentId,
        channel: &Channel,
    ) -> Result<()>;

    /// Removes one channel, with the push that is due for it.
    async fn remove_channel(
        &mut self,
        device: DeviceId,
        enrollment: EnrollmentId,
        key: &ChannelKey,
    ) -> Result<()>;

    /// The bootstrap token of an enrollment's device channel, sealed.
    async fn bootstrap_token(&mut self, enrollment: EnrollmentId) -> Result<Option<Vec<u8>>>;

    /// Replaces it, or takes it away; whether the enrollment has a device channel.
    async fn set_bootstrap_token(
        &mut self,
        enrollment: EnrollmentId,
        sealed: Option<&[u8]>,
        at: Timestamp,
    ) -> Result<bool>;

    /// What a channel was last told of its declarations; `None` if it never was.
    async fn declared(&mut self, enrollment: EnrollmentId, key: &ChannelKey) -> Result<Option<Declared>>;

    /// Writes that down; whether there is such a channel.
    async fn set_declared(
        &mut self,
        enrollment: EnrollmentId,
        key: &ChannelKey,
        declared: &Declared,
    ) -> Result<bool>;

    /// Asks that a channel of the device's live enrollment be woken at `due`, or sooner where that is asked already.
    /// One row per channel; every call raises its generation.
    async fn ask_push(&mut self, device: DeviceId, channel: &ChannelKey, due: Timestamp) -> Result<()>;

    /// The same for the device channels of many devices at once, each there once; their order does not matter. They are kept as a
    /// list until then: a device that has left by the time is not woken.
    async fn ask_pushes(&mut self, devices: &[DeviceId], due: Timestamp) -> Result<()>;

    /// Takes back every push that is due for `device`.
    async fn drop_pushes(&mut self, device: DeviceId) -> Result<()>;
}

/// Identity certificates.
#[async_trait]
pub trait Certificates {
    /// Adds a certificate.
    async fn add_certificate(&mut self, certificate: &IdentityCertificate) -> Result<()>;

    /// The certificate that was issued for a challenge.
    async fn certificate_for_challenge(
        &mut self,
        challenge: &[u8; 32],
    ) -> Result<Option<IdentityCertificate>>;

    /// A certificate.
    async fn certificate(&mut self, fingerprint: &pki::Fingerprint) -> Result<Option<IdentityCertificate>>;

    /// Those of an enrollment, oldest first, at most 100.
    async fn certificates(&mut self, enrollment: EnrollmentId) -> Result<Vec<IdentityCertificate>>;

    /// Lets a certificate name another enrollment.
    async fn move_certificate(
        &mut self,
        fingerprint: &pki::Fingerprint,
        enrollment: EnrollmentId,
    ) -> Result<()>;

    /// Says what a certificate is from now on.
    async fn set_certificate_state(
        &mut self,
        fingerprint: &pki::Fingerprint,
        state: CertificateState,
    ) -> Result<()>;

    /// Says so of every certificate of an enrollment.
    async fn set_certificate_states(
        &mut self,
        enrollment: EnrollmentId,
        state: CertificateState,
    ) -> Result<()>;
}
