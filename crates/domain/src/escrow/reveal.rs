//! Looking at a secret: it needs a right, and is written down.

use serde_json::json;

use super::{DeviceSecret, escrow_context};
use crate::{
    ActionKind, Actor, CommandId, CommandState, Device, DeviceId, DeviceName, EnrollmentId, Error, Event,
    Mdm, Result, Role, Thing, Timestamp,
    actions::unlock_token_context,
    enrollments::bootstrap_token_context,
    ports::{EscrowEntry, LeftToken, Tx},
};

/// How many of a kind are looked at.
const LOOKED_AT: u32 = 20;

/// How sure it is that a device has a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SecretStanding {
    /// The device told it, or confirmed that it set it.
    Confirmed,
    /// Its command was handed over, and not answered: the device may have it.
    Unanswered,
    /// Its command has not left, or was put off.
    Waiting,
    /// The device answered that it did not set it. A Mac that fails to erase itself may have done so all the same.
    Refused,
    /// Its command was taken back, or expired, before it left.
    TakenBack,
}

impl SecretStanding {
    /// Its name, as people and programs are told it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Unanswered => "unanswered",
            Self::Waiting => "waiting",
            Self::Refused => "refused",
            Self::TakenBack => "taken_back",
        }
    }
}

/// A secret, as someone who may look at it sees it; its `Debug` leaves it out.
#[derive(Clone, PartialEq, Eq)]
pub struct Revealed {
    /// Which kind.
    pub secret: DeviceSecret,
    /// The secret; empty where a password was taken away.
    pub value: Vec<u8>,
    /// How sure it is that the device has it.
    pub standing: SecretStanding,
    /// In which enrollment it was kept.
    pub enrollment: EnrollmentId,
    /// Whether that is the enrollment that the device now has, or had last; those before are an archive.
    pub is_current: bool,
    /// When it was kept; `None` for tokens of before that was written down.
    pub kept_at: Option<Timestamp>,
    /// The command that sets it, or in whose answer it came.
    pub command: Option<CommandId>,
    /// Others that it may be as well, the likelier first: newer ones that nobody confirmed, and those of the archive where
    /// the enrollment has none that is confirmed.
    pub others: Vec<Revealed>,
}

/// A Mac's PIN, as someone who may look at it sees it.
#[derive(Clone, PartialEq, Eq)]
pub struct RevealedPin {
    /// Six digits.
    pub pin: String,
    /// What it ends: [`ActionKind::LockScreen`] or [`ActionKind::WipeFull`].
    pub action: ActionKind,
    /// When that was asked.
    pub kept_at: Timestamp,
    /// The same with all that there is to tell of it, and the others of both kinds.
    pub revealed: Revealed,
}

impl Mdm {
    /// The secret of this kind that `device` most likely has: the newest that it confirmed, or else one that may have
    /// reached it. Leaves an audit event.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is no device, or no such secret.
    pub async fn reveal(&self, actor: &Actor, device: DeviceId, secret: DeviceSecret) -> Result<Revealed> {
        self.reveal_any(actor, device, &[secret]).await
    }

    /// The same for the PIN of a Mac, whether it was sent to lock it or to erase it.
    ///
    /// # Errors
    /// The same.
    pub async fn reveal_pin(&self, actor: &Actor, device: DeviceId) -> Result<RevealedPin> {
        let pins = [DeviceSecret::LockPin, DeviceSecret::ErasePin];
        let revealed = self.reveal_any(actor, device, &pins).await?;
        Ok(RevealedPin {
            pin: String::from_utf8(revealed.value.clone()).map_err(Error::internal)?,
            action: match revealed.secret {
                DeviceSecret::ErasePin => ActionKind::WipeFull,
                _ => ActionKind::LockScreen,
            },
            kept_at: revealed.kept_at.unwrap_or_default(),
            revealed,
        })
    }

    async fn reveal_any(&self, actor: &Actor, device: DeviceId, kinds: &[DeviceSecret]) -> Result<Revealed> {
        actor.require(Role::Operator)?;
        let mut tx = self.store.begin(actor.tenant).await?;
        let record = tx.device_named(&DeviceName::Id(device)).await?.ok_or(Error::NotFound(Thing::Device))?;
        let mut found = Vec::new();
        for secret in kinds {
            found.extend(self.found(&mut *tx, &record, *secret).await?);
        }
        let mut all = likeliest_first(found).into_iter();
        let best = all.next().ok_or(Error::NotFound(Thing::Secret))?;
        let best = Revealed { others: all.collect(), ..best };
        let details = json!({
            "secret": best.secret.name(), "enrollment": best.enrollment, "command": best.command,
            "shown": best.others.len() + 1,
        });
        tx.record(&Event::by(actor, "secret.revealed", Some(device), details, self.clock.now())).await?;
        tx.commit().await?;
        Ok(best)
    }

    async fn found(&self, tx: &mut dyn Tx, device: &Device, secret: DeviceSecret) -> Result<Vec<Revealed>> {
        let context: fn(EnrollmentId) -> String = match secret {
            DeviceSecret::UnlockToken => unlock_token_context,
            DeviceSecret::BootstrapToken => bootstrap_token_context,
            kept => {
                let entries = tx.escrow_entries(device.id, device.enrollment, kept.name(), LOOKED_AT).await?;
                return entries.into_iter().map(|entry| self.opened(entry, secret, device)).collect();
            }
        };
        let left = match secret {
            DeviceSecret::UnlockToken => tx.unlock_tokens(device.id).await?,
            _ => tx.bootstrap_tokens(device.id).await?,
        };
        let opened = |LeftToken { enrollment, sealed, at }| {
            Ok(Revealed {
                secret,
                value: self.installation.open_sealed(&context(enrollment), &sealed)?,
                standing: SecretStanding::Confirmed,
                enrollment,
                is_current: enrollment == device.enrollment,
                kept_at: at,
                command: None,
                others: Vec::new(),
            })
        };
        left.into_iter().map(opened).collect()
    }

    fn opened(&self, entry: EscrowEntry, secret: DeviceSecret, device: &Device) -> Result<Revealed> {
        let standing = standing(&entry);
        let row = entry.row;
        Ok(Revealed {
            secret,
            value: self.installation.open_sealed(&escrow_context(row.id), &row.sealed)?,
            standing,
            enrollment: row.enrollment,
            is_current: row.enrollment == device.enrollment,
            kept_at: Some(row.created_at),
            command: row.command,
            others: Vec::new(),
        })
    }
}

impl std::fmt::Debug for Revealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("Revealed");
        shown.field("secret", &self.secret).field("standing", &self.standing).field("others", &self.others);
        shown.finish_non_exhaustive()
    }
}

/// What is known of a secret that a command sets; a command that is forgotten without an answer may have been carried out.
fn standing(entry: &EscrowEntry) -> SecretStanding {
    match (&entry.row, entry.command) {
        (row, _) if row.refused_at.is_some() => SecretStanding::Refused,
        (row, _) if row.confirmed_at.is_some() => SecretStanding::Confirmed,
        (_, Some((CommandState::Acknowledged, _))) => SecretStanding::Confirmed,
        (_, Some((CommandState::Failed, _))) => SecretStanding::Refused,
        (_, Some((CommandState::Queued | CommandState::NotNow, _))) => SecretStanding::Waiting,
        (_, Some((CommandState::Cancelled | CommandState::Expired, false))) => SecretStanding::TakenBack,
        (_, Some((_, true) | (CommandState::HandedOver, _)) | None) => SecretStanding::Unanswered,
    }
}

/// A confirmed one of the enrollment makes all that was kept before it void. Those that the device cannot have go behind
/// an archived one that it may still have.
fn likeliest_first(mut found: Vec<Revealed>) -> Vec<Revealed> {
    found.sort_by_key(|it| std::cmp::Reverse((it.kept_at, it.command)));
    let confirmed = |it: &Revealed| it.is_current && it.standing == SecretStanding::Confirmed;
    if let Some(newest) = found.iter().position(confirmed) {
        found.truncate(newest + 1);
    }
    found.sort_by_key(|it| (it.standing >= SecretStanding::Refused, !it.is_current, it.standing));
    found
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn kept(at: i64, standing: SecretStanding, is_current: bool) -> Revealed {
        Revealed {
            secret: DeviceSecret::LockPin,
            value: Vec::new(),
            standing,
            enrollment: EnrollmentId(Uuid::nil()),
            is_current,
            kept_at: Some(Timestamp(at)),
            command: None,
            others: Vec::new(),
        }
    }

    fn order(found: Vec<Revealed>) -> Vec<i64> {
        likeliest_first(found).iter().filter_map(|it| it.kept_at).map(|at| at.0).collect()
    }

    #[test]
    fn a_confirmed_one_goes_before_newer_ones_that_are_not_and_ends_the_list() {
        use SecretStanding::{Confirmed, Refused, Unanswered, Waiting};
        let found = vec![
            kept(1, Confirmed, false),
            kept(2, Unanswered, true),
            kept(3, Confirmed, true),
            kept(4, Refused, true),
            kept(5, Waiting, true),
            kept(6, Unanswered, true),
        ];
        assert_eq!(order(found), [3, 6, 5, 4]);
    }

    #[test]
    fn without_a_confirmed_one_the_archive_is_told_as_well() {
        use SecretStanding::{Confirmed, Refused, TakenBack, Waiting};
        let found = vec![
            kept(1, Confirmed, false),
            kept(2, Confirmed, false),
            kept(3, Waiting, true),
            kept(4, TakenBack, true),
            kept(5, Refused, true),
        ];
        assert_eq!(order(found), [3, 2, 1, 5, 4]);
    }

    #[test]
    fn of_several_confirmed_ones_the_newest_counts() {
        let found = vec![kept(1, SecretStanding::Confirmed, true), kept(2, SecretStanding::Confirmed, true)];
        assert_eq!(order(found), [2]);
    }
}
