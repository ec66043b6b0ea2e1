//! What is forgotten in the background once its time is over, a batch at a time.

use std::time::Duration;

use crate::{
    Mdm, Result,
    ports::{DueEnrollments, EscrowPlace},
};

/// How many rows one transaction touches, so that nobody waits long for it.
const BATCH: u32 = 500;

/// How many enrollments one looks at, each with what belongs to it.
const ENROLLMENTS: u32 = 100;

/// For how long an enrollment that got nowhere is left alone: its device may be at it.
const ABANDONED: Duration = Duration::from_hours(24);

/// When an enrollment that must stay, because its device's record names it or its certificate is still good, is looked at
/// again.
const LOOK_AGAIN: Duration = Duration::from_hours(7 * 24);

/// How long after its end a certificate is still known: a device's clock may be a day behind (`protocol-subtleties` 9).
const CERTIFICATES: Duration = Duration::from_hours(2 * 24);

/// A kind of thing that is forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Old {
    /// Commands with their results, [`crate::Settings::history`] after their end.
    Commands,
    /// Events that tell how a command ended, as long as it, and no longer than other events. Who asked for it is told by another,
    /// which is kept longer.
    EndsOfCommands,
    /// Enrollment links, as long after their end.
    Links,
    /// All other events, after [`crate::Settings::audit`].
    Events,
    /// Finished purges, likewise.
    Purges,
    /// Certificates that were replaced or taken back, once they have expired.
    Certificates,
    /// Enrollments that ended, or were never completed, [`crate::Settings::archive`] afterwards: with their
    /// certificates, channels, tokens and secrets. The one that a device's record names stays as long as that record.
    Enrollments,
}

impl Old {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::Commands,
        Self::EndsOfCommands,
        Self::Links,
        Self::Events,
        Self::Purges,
        Self::Certificates,
        Self::Enrollments,
    ];
}

impl Mdm {
    /// Forgets a batch of what is over; how many rows it touched. A caller goes on until there are none.
    pub async fn forget(&self, old: Old) -> Result<u64> {
        let now = self.clock.now();
        let history = now.minus(self.settings.history);
        let audit = now.minus(self.settings.audit);
        match old {
            Old::Commands => self.outbox.forget_commands(history, BATCH).await,
            Old::EndsOfCommands => self.outbox.forget_ends_of_commands(history.max(audit), BATCH).await,
            Old::Links => self.outbox.forget_links(history, BATCH).await,
            Old::Events => self.outbox.forget_events(audit, BATCH).await,
            Old::Purges => self.outbox.forget_purges(audit, BATCH).await,
            Old::Certificates => self.outbox.forget_certificates(now.minus(CERTIFICATES), BATCH).await,
            Old::Enrollments => self.forget_enrollments().await,
        }
    }

    /// Forgets secrets that were refused or replaced, [`crate::Settings::archive`] afterwards: looks at a batch of all secrets
    /// behind `after`, and tells from where to go on; `None` at the end. Which ones are old is not indexed, and needs no haste: a
    /// caller goes on some time later.
    pub async fn forget_secrets(&self, after: Option<EscrowPlace>) -> Result<Option<EscrowPlace>> {
        let before = self.clock.now().minus(self.settings.archive);
        self.outbox.forget_secrets(after, before, BATCH).await
    }

    async fn forget_enrollments(&self) -> Result<u64> {
        let now = self.clock.now();
        let look_at = now.plus(self.settings.archive);
        let noted = self.outbox.note_ended_enrollments(now.minus(ABANDONED), look_at, BATCH).await?;
        let due = DueEnrollments { by: now, expired: now.minus(CERTIFICATES), again: now.plus(LOOK_AGAIN) };
        Ok(noted + self.outbox.forget_enrollments(&due, ENROLLMENTS).await?)
    }
}
