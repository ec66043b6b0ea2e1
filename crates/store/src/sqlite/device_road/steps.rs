//! The steps, each in the transaction of its group.

use domain::{
    APPLIED, CertificateState, ChannelKey, CommandId, DeviceId, EnrollmentId, EnrollmentState, Error, Event,
    Result, TenantId, Timestamp,
    ports::{Answer, HandedOver, Identity, PUT_OFF, Poll, PollAnswer, ReportStep, TokenStep},
};
use pki::Fingerprint;
use rusqlite::{Connection, OptionalExtension, Row, params};
use uuid::Uuid;

use super::prepared::Prepared;
use crate::{
    error::failed_on_road,
    road::{Contact, millis, result_event, serves},
};

/// What [`identity`] reads of `certificates c` and `enrollments e`.
macro_rules! identity_columns {
    () => {
        "c.tenant, e.device, c.enrollment, e.key, e.state, c.state"
    };
}

const IDENTITY: &str = concat!(
    "SELECT ",
    identity_columns!(),
    " FROM certificates c JOIN enrollments e ON e.tenant = c.tenant AND e.id = c.enrollment WHERE c.fingerprint = ?1"
);

/// Whose certificate it is, and whether an idle poll would be handed a command: of one moment, for it is one statement. `?3`: whether
/// nothing but a renewal counts; `?4`: now.
const LOOK: &str = concat!(
    "SELECT ",
    identity_columns!(),
    ", EXISTS (SELECT 1 FROM commands m WHERE m.tenant = c.tenant AND m.device = e.device AND m.channel = ?2
             AND m.finished_at IS NULL AND m.enrollment = c.enrollment AND m.not_before <= ?4
             AND (m.expires_at IS NULL OR m.expires_at > ?4) AND (NOT ?3 OR m.dedupe = 'renewal'))
     FROM certificates c JOIN enrollments e ON e.tenant = c.tenant AND e.id = c.enrollment WHERE c.fingerprint = ?1"
);

/// `?5`: whether put-off and unconfirmed commands count as well; `?6`: whether nothing but a renewal does; `?7`: the number
/// of the conversation, in which what was put off in an earlier one counts all the same; `?8`: now.
const NEXT: &str = "
    SELECT id, payload, sealed FROM commands
    WHERE tenant = ?1 AND device = ?2 AND channel = ?3 AND finished_at IS NULL AND enrollment = ?4
        AND not_before <= ?8 AND (expires_at IS NULL OR expires_at > ?8)
        AND (?5 OR state = 0 OR state = 2 AND conversation < ?7) AND (NOT ?6 OR dedupe = 'renewal')
    ORDER BY rank, id LIMIT 1";

/// `?9`: whether the report is final, and so counts for a command that was given up after it was handed over.
const REPORT: &str = "
    UPDATE commands SET state = ?6, result = ?7, result_sealed = ?12, finished_at = ?8, put_off = put_off + NOT ?9,
        wake_at = CASE WHEN ?9 THEN wake_at ELSE ?10 + ?11 * (1 << min(put_off, 6)) END
    WHERE tenant = ?1 AND device = ?2 AND id = ?3 AND channel = ?4 AND enrollment = ?5
        AND (state < 3 OR ?9 AND state >= 5 AND handed_over_at IS NOT NULL)
    RETURNING conversation, request_type";

/// The last conversation in which something that is open was handed over.
const LAST_CONVERSATION: &str = "
    SELECT coalesce(max(conversation), 0) FROM commands
    WHERE tenant = ?1 AND device = ?2 AND channel = ?3 AND finished_at IS NULL";

const ADD_OUTCOME: &str = "INSERT INTO outcomes (tenant, device, command, at) VALUES (?1, ?2, ?3, ?4)";

const RECORD: &str = "
    INSERT INTO audit (tenant, device, kind, actor, details, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";

const HAND_OVER: &str = "
    UPDATE commands SET state = 1, handed_over_at = ?4, conversation = ?5
    WHERE tenant = ?1 AND device = ?2 AND id = ?3";

const IS_TOPIC: &str = "SELECT 1 FROM push_certificates WHERE tenant = ?1 AND topic = ?2";

const IS_TOKEN_DEAD: &str = "
    SELECT push_token IS NULL FROM channels WHERE tenant = ?1 AND enrollment = ?2 AND channel = ?3";

const SET_TOKEN: &str = "
    UPDATE channels SET push_token = nullif(?4, x''), push_magic = ?5, updated_at = ?6,
        unlock_token = coalesce(?7, unlock_token),
        unlock_token_at = CASE WHEN ?7 IS NULL THEN unlock_token_at ELSE ?6 END
    WHERE tenant = ?1 AND enrollment = ?2 AND channel = ?3";

/// Only if something waits: nobody was told of it while the token was dead.
const ASK_PUSH: &str = "
    INSERT INTO pushes (tenant, device, channel, due_at, generation)
    SELECT ?1, ?2, ?3, ?4, ?4 WHERE EXISTS (
        SELECT 1 FROM commands WHERE tenant = ?1 AND device = ?2 AND channel = ?3 AND finished_at IS NULL AND enrollment = ?5)
    ON CONFLICT (tenant, device, channel) DO UPDATE SET
        due_at = min(pushes.due_at, excluded.due_at), generation = pushes.generation + 1";

/// All that a poll reads of the queue.
#[cfg(test)]
pub(super) const QUEUE_READS: [&str; 3] = [LOOK, NEXT, LAST_CONVERSATION];

/// The number of no conversation: none is earlier.
const NO_CONVERSATION: i64 = 0;

const SET_CONTACT: &str = "
    UPDATE devices SET last_contact = max(coalesce(last_contact, ?3), ?3) WHERE tenant = ?1 AND id = ?2";

/// A command that was open until its device reported it just now.
struct Reported {
    /// In which conversation it was handed over.
    conversation: i64,
    leaves_outcome: bool,
}

/// The steps of one group, on the connection of its transaction.
pub(super) struct Steps<'c> {
    identity: Prepared<'c>,
    look: Prepared<'c>,
    next: Prepared<'c>,
    hand_over: Prepared<'c>,
    last_conversation: Prepared<'c>,
    report: Prepared<'c>,
    add_outcome: Prepared<'c>,
    record: Prepared<'c>,
    is_topic: Prepared<'c>,
    is_token_dead: Prepared<'c>,
    set_token: Prepared<'c>,
    ask_push: Prepared<'c>,
    set_contact: Prepared<'c>,
}

impl<'c> Steps<'c> {
    pub(super) fn of(connection: &'c Connection) -> Self {
        let prepared = |sql| Prepared::new(connection, sql);
        Self {
            identity: prepared(IDENTITY),
            look: prepared(LOOK),
            next: prepared(NEXT),
            hand_over: prepared(HAND_OVER),
            last_conversation: prepared(LAST_CONVERSATION),
            report: prepared(REPORT),
            add_outcome: prepared(ADD_OUTCOME),
            record: prepared(RECORD),
            is_topic: prepared(IS_TOPIC),
            is_token_dead: prepared(IS_TOKEN_DEAD),
            set_token: prepared(SET_TOKEN),
            ask_push: prepared(ASK_PUSH),
            set_contact: prepared(SET_CONTACT),
        }
    }

    /// Whose certificate an idle poll shows, and whether it would be handed a command.
    pub(super) fn look(&mut self, step: &Poll) -> Result<Option<(Identity, bool)>> {
        let asked = params![&step.fingerprint.0[..], step.channel.0, step.renewal_only, step.now.0];
        let seen = self.look.get()?.query_row(asked, |row| Ok((identity(row)?, row.get(6)?)));
        let Some((identity, waits)) = seen.optional().map_err(failed_on_road)? else { return Ok(None) };
        Ok(Some((identity.ok_or_else(unknown_state)?, waits)))
    }

    /// Takes the report, if there is one, and hands over the next command, if there is one.
    pub(super) fn poll(&mut self, step: &Poll) -> Result<Answer<PollAnswer>> {
        let Some(who) = self.whose(&step.fingerprint)? else {
            return Ok(Answer { identity: None, served: None });
        };
        if !serves(&who, &step.key) {
            return Ok(Answer { identity: Some(who), served: None });
        }
        let reported = match &step.report {
            Some(report) => self.take_report(&who, step, report)?,
            None => None,
        };
        let leaves_outcome = reported.as_ref().is_some_and(|reported| reported.leaves_outcome);
        let report_known = reported.is_some();
        let next = self.hand_over(&who, step, reported.map(|reported| reported.conversation))?;
        Ok(Answer { identity: Some(who), served: Some(PollAnswer { report_known, leaves_outcome, next }) })
    }

    /// Takes the new token of a channel that is there already.
    pub(super) fn update_token(&mut self, step: &TokenStep) -> Result<Answer<()>> {
        let Some(who) = self.whose(&step.fingerprint)? else {
            return Ok(Answer { identity: None, served: None });
        };
        let served = serves(&who, &step.key) && self.is_bound(&who, step)? && self.set_token(&who, step)?;
        Ok(Answer { identity: Some(who), served: served.then_some(()) })
    }

    /// Whose certificate it is.
    fn whose(&mut self, fingerprint: &Fingerprint) -> Result<Option<Identity>> {
        let found = self.identity.get()?.query_row([&fingerprint.0[..]], identity).optional();
        let Some(identity) = found.map_err(failed_on_road)? else { return Ok(None) };
        identity.ok_or_else(unknown_state).map(Some)
    }

    /// Writes down when devices last spoke; never an earlier time than what is there.
    pub(super) fn set_contacts(&mut self, contacts: &[Contact]) -> Result<()> {
        let update = self.set_contact.get()?;
        for (tenant, device, at) in contacts {
            update
                .execute(params![tenant.0.as_bytes(), device.0.as_bytes(), at.0])
                .map_err(failed_on_road)?;
        }
        Ok(())
    }

    /// The command that was reported, if it may be reported, and is of this enrollment and channel.
    fn take_report(&mut self, who: &Identity, step: &Poll, report: &ReportStep) -> Result<Option<Reported>> {
        let done = !report.state.is_open();
        let values = params![
            who.tenant.0.as_bytes(),
            who.device.0.as_bytes(),
            report.command.0.as_bytes(),
            step.channel.0,
            who.enrollment.0.as_bytes(),
            report.state.code(),
            done.then_some(&report.result),
            done.then_some(step.now.0),
            done,
            step.now.0,
            millis(PUT_OFF),
            report.sealed,
        ];
        let update = self.report.get()?;
        let found = update.query_row(values, |row| Ok((row.get(0)?, row.get::<_, String>(1)?))).optional();
        let Some((conversation, request_type)) = found.map_err(failed_on_road)? else { return Ok(None) };
        let leaves_outcome = done && APPLIED.contains(&&*request_type);
        if leaves_outcome {
            self.add_outcome(who, report, step.now)?;
        } else if done {
            self.record(who, &result_event(who, step, report, &request_type))?;
        }
        Ok(Some(Reported { conversation, leaves_outcome }))
    }

    fn add_outcome(&mut self, who: &Identity, report: &ReportStep, now: Timestamp) -> Result<()> {
        let outcome =
            params![who.tenant.0.as_bytes(), who.device.0.as_bytes(), report.command.0.as_bytes(), now.0];
        self.add_outcome.get()?.execute(outcome).map(drop).map_err(failed_on_road)
    }

    fn record(&mut self, who: &Identity, event: &Event) -> Result<()> {
        let event = params![
            who.tenant.0.as_bytes(),
            event.device.map(|id| *id.0.as_bytes()),
            event.kind,
            event.actor,
            event.details.to_string(),
            event.at.0
        ];
        self.record.get()?.execute(event).map(drop).map_err(failed_on_road)
    }

    fn hand_over(
        &mut self,
        who: &Identity,
        step: &Poll,
        conversation: Option<i64>,
    ) -> Result<Option<HandedOver>> {
        let idle = step.report.is_none();
        let wanted = params![
            who.tenant.0.as_bytes(),
            who.device.0.as_bytes(),
            step.channel.0,
            who.enrollment.0.as_bytes(),
            idle,
            step.renewal_only,
            conversation.unwrap_or(NO_CONVERSATION),
            step.now.0
        ];
        let select = self.next.get()?;
        let found = select.query_row(wanted, |row| Ok((id(row, 0)?, row.get(1)?, row.get(2)?))).optional();
        let Some((command, payload, sealed)) = found.map_err(failed_on_road)? else { return Ok(None) };
        let conversation = match conversation {
            None if idle => self.new_conversation(who, step)?,
            known => known.unwrap_or(NO_CONVERSATION),
        };
        let taken = params![
            who.tenant.0.as_bytes(),
            who.device.0.as_bytes(),
            command.as_bytes(),
            step.now.0,
            conversation
        ];
        self.hand_over.get()?.execute(taken).map_err(failed_on_road)?;
        Ok(Some(HandedOver {
            tenant: who.tenant,
            device: who.device,
            command: CommandId(command),
            payload,
            sealed,
        }))
    }

    /// A number greater than those before, also on a clock that stands still or was set back.
    fn new_conversation(&mut self, who: &Identity, step: &Poll) -> Result<i64> {
        let channel = params![who.tenant.0.as_bytes(), who.device.0.as_bytes(), step.channel.0];
        let select = self.last_conversation.get()?;
        let last: i64 = select.query_row(channel, |row| row.get(0)).map_err(failed_on_road)?;
        Ok(step.now.0.max(last.saturating_add(1)))
    }

    /// Whether the enrollment and the topic are what the step says, where it says so.
    fn is_bound(&mut self, who: &Identity, step: &TokenStep) -> Result<bool> {
        match &step.bound {
            None => Ok(true),
            Some((enrollment, _)) if *enrollment != who.enrollment => Ok(false),
            Some((_, topic)) => {
                let ours = params![who.tenant.0.as_bytes(), topic];
                self.is_topic.get()?.exists(ours).map_err(failed_on_road)
            }
        }
    }

    /// Whether there is such a channel.
    fn set_token(&mut self, who: &Identity, step: &TokenStep) -> Result<bool> {
        let (tenant, device, enrollment) =
            (who.tenant.0.as_bytes(), who.device.0.as_bytes(), who.enrollment.0.as_bytes());
        let channel = &step.channel;
        let ChannelKey(key) = &channel.key;
        let dead = self.is_token_dead.get()?;
        let dead = dead.query_row(params![tenant, enrollment, key], |row| row.get::<_, bool>(0)).optional();
        let Some(was_dead) = dead.map_err(failed_on_road)? else { return Ok(false) };
        let told = params![
            tenant,
            enrollment,
            key,
            channel.push_token,
            channel.push_magic,
            channel.updated_at.0,
            channel.unlock_token.as_deref()
        ];
        self.set_token.get()?.execute(told).map_err(failed_on_road)?;
        if was_dead && !channel.push_token.is_empty() {
            let asked = params![tenant, device, key, step.now.0, enrollment];
            self.ask_push.get()?.execute(asked).map_err(failed_on_road)?;
        }
        Ok(true)
    }
}

/// Who it is; `None` where a state has a code that nobody knows.
fn identity(row: &Row<'_>) -> rusqlite::Result<Option<Identity>> {
    let (enrollment_state, certificate_state) = (row.get(4)?, row.get(5)?);
    let (Some(enrollment_state), Some(certificate_state)) =
        (EnrollmentState::of(enrollment_state), CertificateState::of(certificate_state))
    else {
        return Ok(None);
    };
    Ok(Some(Identity {
        tenant: TenantId(id(row, 0)?),
        device: DeviceId(id(row, 1)?),
        enrollment: EnrollmentId(id(row, 2)?),
        key: row.get(3)?,
        enrollment_state,
        certificate_state,
    }))
}

fn unknown_state() -> Error {
    Error::internal("the database holds an unknown state")
}

fn id(row: &Row<'_>, column: usize) -> rusqlite::Result<Uuid> {
    row.get(column).map(Uuid::from_bytes)
}
