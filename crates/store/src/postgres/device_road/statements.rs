//! The statements, each for a whole group.

#[cfg(test)]
mod plans;
mod text;

use std::collections::{HashMap, HashSet};

use domain::{
    APPLIED, CertificateState, CommandId, DeviceId, EnrollmentId, EnrollmentState, Event, TenantId,
    ports::{HandedOver, Identity, PUT_OFF, Poll, PollAnswer, TokenStep},
};
use pki::Fingerprint;
use sqlx::{PgConnection, PgPool, Row, postgres::PgRow, query};
use uuid::Uuid;

use self::text::{ARE_NOTED, CHANGES, LOCK, LOOK, POLL, RECORD, SET_CONTACTS, UPDATE_TOKENS};
use super::{
    super::bulk::each,
    lane::Result,
    memory::{Changes, Moment},
};
use crate::road::{Contact, millis, result_event};

/// How often a command is picked anew for a step whose pick was taken back by someone else at that very moment.
const PICKS: usize = 3;

/// A step that is served, and its place in the group.
pub(super) struct Placed<'a, S> {
    pub(super) place: usize,
    pub(super) who: &'a Identity,
    pub(super) step: &'a S,
}

/// How many changes are asked for at once.
const CHANGES_AT_ONCE: i64 = 256;

/// What a look brought.
pub(super) struct Seen {
    pub(super) identity: Identity,
    /// Whether anything is open, be it for later.
    pub(super) is_open: bool,
    /// Whether something is there to be handed over.
    pub(super) waits: bool,
}

/// Who asks, and whether something waits for them; in the order of the steps, `None` for an unknown certificate.
pub(super) async fn look(connection: &mut PgConnection, steps: &[&Poll]) -> Result<Vec<Option<Seen>>> {
    let select = query(LOOK)
        .bind(each(steps, |step| &step.fingerprint.0[..]))
        .bind(each(steps, |step| step.channel.0.as_str()))
        .bind(each(steps, |step| step.renewal_only))
        .bind(each(steps, |step| step.now.0));
    let mut seen: Vec<Option<Seen>> = steps.iter().map(|_| None).collect();
    for row in select.fetch_all(connection).await? {
        let found = Seen {
            identity: identity(&row)?,
            is_open: row.try_get("is_open")?,
            waits: row.try_get("waits")?,
        };
        put(&mut seen, place(&row)?, found);
    }
    Ok(seen)
}

/// Whose polls may have another answer than at that moment; without one, nobody's.
pub(super) async fn changes(connection: &mut PgConnection, since: Option<&Moment>) -> Result<Changes> {
    let since = since.map(|moment| moment.snapshot.as_str());
    let row = query(CHANGES).bind(since).bind(CHANGES_AT_ONCE).fetch_one(connection).await?;
    let until = Moment { snapshot: row.try_get("snapshot")?, server: row.try_get("server")? };
    let is_forgotten = row.try_get::<Option<bool>, _>("is_forgotten")?.unwrap_or(false);
    if is_forgotten || row.try_get::<i64, _>("rows")? >= CHANGES_AT_ONCE {
        return Ok(Changes { until, enrollments: None });
    }
    let ids = row.try_get::<Option<&[u8]>, _>("enrollments")?.unwrap_or_default();
    let ids = ids.chunks_exact(size_of::<Uuid>()).filter_map(|id| Uuid::from_slice(id).ok());
    Ok(Changes { until, enrollments: Some(ids.map(EnrollmentId).collect()) })
}

/// Whether changes can be asked for.
pub(super) async fn are_changes_noted(connection: &mut PgConnection) -> Result<bool> {
    query(ARE_NOTED).fetch_one(connection).await?.try_get("noted")
}

/// Locks the enrollments of these certificates and gives their identities, in the order of the certificates.
pub(super) async fn lock(
    connection: &mut PgConnection,
    certificates: &[Fingerprint],
) -> Result<Vec<Option<Identity>>> {
    let select = query(LOCK).bind(each(certificates, |fingerprint| &fingerprint.0[..]));
    let mut identities: Vec<Option<Identity>> = certificates.iter().map(|_| None).collect();
    for row in select.fetch_all(connection).await? {
        put(&mut identities, place(&row)?, identity(&row)?);
    }
    Ok(identities)
}

/// Takes the reports, and hands over the next commands.
pub(super) async fn poll(
    connection: &mut PgConnection,
    steps: &[Placed<'_, Poll>],
) -> Result<HashMap<usize, PollAnswer>> {
    let mut answers = HashMap::new();
    let mut open: Vec<&Placed<'_, Poll>> = steps.iter().collect();
    for round in 0..PICKS {
        if open.is_empty() {
            break;
        }
        let (mut missed, mut events) = (HashSet::new(), Vec::new());
        for row in poll_once(connection, &open, round == 0).await? {
            let place = place(&row)?;
            let answer: &mut PollAnswer = answers.entry(place).or_default();
            if let Some(request_type) = row.try_get::<Option<&str>, _>("request_type")? {
                answer.report_known = true;
                if let Some(step) = open.iter().find(|step| step.place == place && is_final(step)) {
                    answer.leaves_outcome = APPLIED.contains(&request_type);
                    events.extend(event(step, request_type));
                }
            }
            answer.next = handed_over(&row)?;
            if row.try_get("missed")? {
                missed.insert(place);
            }
        }
        record(connection, &events).await?;
        open.retain(|step| missed.contains(&step.place));
    }
    Ok(answers)
}

/// Takes the new tokens of channels that are there already; the places of those.
pub(super) async fn update_tokens(
    connection: &mut PgConnection,
    steps: &[Placed<'_, TokenStep>],
) -> Result<HashSet<usize>> {
    if steps.is_empty() {
        return Ok(HashSet::new());
    }
    let update = query(UPDATE_TOKENS)
        .bind(each(steps, |step| number(step.place)))
        .bind(each(steps, |step| step.who.tenant.0))
        .bind(each(steps, |step| step.who.device.0))
        .bind(each(steps, |step| step.who.enrollment.0))
        .bind(each(steps, |step| step.step.channel.key.0.as_str()))
        .bind(each(steps, |step| Some(&step.step.channel.push_token[..]).filter(|token| !token.is_empty())))
        .bind(each(steps, |step| step.step.channel.push_magic.as_str()))
        .bind(each(steps, |step| step.step.channel.unlock_token.as_deref()))
        .bind(each(steps, |step| step.step.channel.updated_at.0))
        .bind(each(steps, |step| step.step.now.0))
        .bind(each(steps, |step| step.step.bound.as_ref().map(|(_, topic)| topic.as_str())));
    update.fetch_all(connection).await?.iter().map(place).collect()
}

/// Writes down when devices last spoke. Gives up, to be tried again, rather than make others wait.
pub(super) async fn set_contacts(pool: &PgPool, contacts: &[Contact]) -> Result<()> {
    let mut tx = pool.begin().await?;
    query("SET LOCAL lock_timeout = '400ms'").execute(&mut *tx).await?;
    let update = query(SET_CONTACTS)
        .bind(each(contacts, |(tenant, ..)| tenant.0))
        .bind(each(contacts, |(_, device, _)| device.0))
        .bind(each(contacts, |(.., at)| at.0));
    update.execute(&mut *tx).await?;
    tx.commit().await
}

fn is_final(step: &Placed<'_, Poll>) -> bool {
    step.step.report.as_ref().is_some_and(|report| !report.state.is_open())
}

/// What the audit log is told of a final report, where that is all that comes of it.
fn event(step: &Placed<'_, Poll>, request_type: &str) -> Option<(TenantId, Event)> {
    let report = step.step.report.as_ref()?;
    let is_all = !APPLIED.contains(&request_type);
    is_all.then(|| (step.who.tenant, result_event(step.who, step.step, report, request_type)))
}

async fn record(connection: &mut PgConnection, events: &[(TenantId, Event)]) -> Result<()> {
    if events.is_empty() {
        return Ok(());
    }
    let insert = query(RECORD)
        .bind(each(events, |(tenant, _)| tenant.0))
        .bind(each(events, |(_, event)| event.device.map(|id| id.0)))
        .bind(each(events, |(_, event)| &*event.kind))
        .bind(each(events, |(_, event)| &*event.actor))
        .bind(each(events, |(_, event)| event.details.to_string()))
        .bind(each(events, |(_, event)| event.at.0));
    insert.execute(connection).await.map(drop)
}

async fn poll_once(
    connection: &mut PgConnection,
    steps: &[&Placed<'_, Poll>],
    with_reports: bool,
) -> Result<Vec<PgRow>> {
    let reports = each(steps, |step| step.step.report.as_ref().filter(|_| with_reports));
    let statement = query(POLL)
        .bind(each(steps, |step| number(step.place)))
        .bind(each(steps, |step| step.who.tenant.0))
        .bind(each(steps, |step| step.who.device.0))
        .bind(each(steps, |step| step.who.enrollment.0))
        .bind(each(steps, |step| step.step.channel.0.as_str()))
        .bind(each(&reports, |report| report.map(|report| report.command.0)))
        .bind(each(&reports, |report| report.map(|report| report.state.code())))
        .bind(each(&reports, |report| report.filter(|r| !r.state.is_open()).map(|r| r.result.as_slice())))
        .bind(each(steps, |step| step.step.report.is_none()))
        .bind(each(steps, |step| step.step.renewal_only))
        .bind(each(steps, |step| step.step.now.0))
        .bind(millis(PUT_OFF))
        .bind(each(&reports, |report| report.is_some_and(|report| report.sealed)))
        .bind(&APPLIED[..]);
    statement.fetch_all(connection).await
}

fn handed_over(row: &PgRow) -> Result<Option<HandedOver>> {
    let Some(command) = row.try_get::<Option<Uuid>, _>("command")? else { return Ok(None) };
    Ok(Some(HandedOver {
        tenant: TenantId(row.try_get("tenant")?),
        device: DeviceId(row.try_get("device")?),
        command: CommandId(command),
        payload: row.try_get("payload")?,
        sealed: row.try_get("sealed")?,
    }))
}

fn identity(row: &PgRow) -> Result<Identity> {
    Ok(Identity {
        tenant: TenantId(row.try_get("tenant")?),
        device: DeviceId(row.try_get("device")?),
        enrollment: EnrollmentId(row.try_get("enrollment")?),
        key: row.try_get("key")?,
        enrollment_state: known(EnrollmentState::of(row.try_get("enrollment_state")?))?,
        certificate_state: known(CertificateState::of(row.try_get("certificate_state")?))?,
    })
}

fn known<T>(state: Option<T>) -> Result<T> {
    state.ok_or_else(|| sqlx::Error::Decode("the database holds an unknown state".into()))
}

fn place(row: &PgRow) -> Result<usize> {
    usize::try_from(row.try_get::<i64, _>("place")?).map_err(|error| sqlx::Error::Decode(error.into()))
}

fn number(place: usize) -> i64 {
    i64::try_from(place).unwrap_or(i64::MAX)
}

fn put<T>(all: &mut [Option<T>], place: usize, one: T) {
    if let Some(slot) = all.get_mut(place) {
        *slot = Some(one);
    }
}
