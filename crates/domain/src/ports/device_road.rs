//! The hot road: what devices say all day, in whole steps that are committed in groups.
//!
//! The domain builds a step, the store applies it. A step is served only if the certificate is pinned (or, for an
//! empty certificate cache, known) to an active enrollment whose key is the one claimed; otherwise nothing is
//! written, and the [`Identity`] in the answer lets the domain say why. Every answer is given after the commit.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;

use crate::{
    ChannelKey, CommandId, CommandState, DeviceId, EnrollmentId, Identity, Result, TenantId, Timestamp,
};

/// How long after `NotNow` a device is woken again, if it has not come by itself.
pub const PUT_OFF: Duration = Duration::from_mins(5);

/// Applies steps; full means [`crate::Error::Unavailable`].
#[async_trait]
pub trait DeviceRoad: Send + Sync {
    /// A device reports, if it has something to report, and gets its next command, if there is one.
    ///
    /// - A report finishes (or puts off) the command with its id if that belongs to this enrollment and channel and is still
    ///   open. Where it finishes one of [`crate::APPLIED`], an outcome row is added for the worker; else the audit log is told
    ///   ([`crate::Event::of_result`]), and that was all. A report of anything else changes nothing.
    /// - The next command is the first by priority, then by id, whose time has come and is not over (see
    ///   [`crate::Schedule`]). Without a report (`Idle`) a conversation begins, and any that is open may be next. After a report
    ///   it is one that is still `Queued`, or that was put off in an earlier conversation: so a conversation offers each
    ///   put-off command once, whatever else comes. One whose hand-over was never confirmed comes back at `Idle` only.
    /// - A command that is put off has its device woken again after [`PUT_OFF`], doubled each time up to 64-fold.
    /// - A final report of a command that was handed over and then expired or was cancelled still counts.
    /// - `renewal_only` hands over nothing but a queued certificate renewal.
    /// - The device's last contact is noted, in memory, and flushed by [`DeviceRoad::flush`].
    async fn poll(&self, step: Arc<Poll>) -> Result<Answer<PollAnswer>>;

    /// A repeated `TokenUpdate` of an active enrollment: the channel's token, magic and unlock token.
    ///
    /// Served for [`crate::EnrollmentState::Active`] only, and only if the enrollment has this channel already; the first one of
    /// a channel takes the ordinary road. Where the old token was dead and commands wait, a push of the channel is due at once.
    async fn update_token(&self, step: TokenStep) -> Result<Answer<()>>;

    /// Writes down the last contacts that are gathered in memory; called about once a second and at stop.
    async fn flush(&self) -> Result<()>;
}

/// A request on the command channel.
#[derive(Clone, Debug)]
pub struct Poll {
    /// Who asks.
    pub fingerprint: pki::Fingerprint,
    /// The UDID or enrollment id that it claims.
    pub key: String,
    /// On which channel.
    pub channel: ChannelKey,
    /// What it reports; `None` for `Idle`.
    pub report: Option<ReportStep>,
    /// Whether its certificate has expired, so that it may fetch its renewal and nothing else.
    pub renewal_only: bool,
    /// When.
    pub now: Timestamp,
}

/// A device's answer to one command.
#[derive(Clone, Debug)]
pub struct ReportStep {
    /// Which one.
    pub command: CommandId,
    /// `Acknowledged`, `Failed` or `NotNow`.
    pub state: CommandState,
    /// The report as it came, at most 16 MiB, or sealed; empty for `NotNow`.
    pub result: Vec<u8>,
    /// Whether `result` is sealed.
    pub sealed: bool,
    /// The codes and domains of the errors that it tells, a JSON array for the audit log.
    pub errors: serde_json::Value,
}

/// A `TokenUpdate`.
#[derive(Clone, Debug)]
pub struct TokenStep {
    /// Who says it.
    pub fingerprint: pki::Fingerprint,
    /// The UDID or enrollment id that it claims.
    pub key: String,
    /// The channel with its new tokens; an unlock token of `None` leaves the stored one.
    pub channel: crate::Channel,
    /// What the store has to see to: that the certificate is this enrollment's, and the topic that of the tenant's push
    /// certificate; else the step is not served. `None` where both were judged before.
    pub bound: Option<(EnrollmentId, String)>,
    /// When.
    pub now: Timestamp,
}

/// What became of a step.
#[derive(Clone, Debug)]
pub struct Answer<T> {
    /// Who the certificate belongs to; `None` if it is not known.
    pub identity: Option<Identity>,
    /// What was done; `None` if the step was not served, and nothing was written.
    pub served: Option<T>,
}

/// What a served poll brought.
#[derive(Clone, Debug, Default)]
pub struct PollAnswer {
    /// Whether the report named an open command of this channel; false without a report.
    pub report_known: bool,
    /// Whether it left an outcome for the worker.
    pub leaves_outcome: bool,
    /// The next command.
    pub next: Option<HandedOver>,
}

/// A command on its way out.
#[derive(Clone, Debug)]
pub struct HandedOver {
    /// Whose.
    pub tenant: TenantId,
    /// To which device.
    pub device: DeviceId,
    /// Which.
    pub command: CommandId,
    /// What it is sent, as it is stored: sealed or not.
    pub payload: Vec<u8>,
    /// Whether `payload` is sealed.
    pub sealed: bool,
}
