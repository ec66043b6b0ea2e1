//! The statements, each for a whole group.

use std::collections::{HashMap, HashSet};

use domain::{
    CertificateState, CommandId, DeviceId, EnrollmentId, EnrollmentState, TenantId,
    ports::{HandedOver, Identity, Poll, PollAnswer, TokenStep},
};
use pki::Fingerprint;
use sqlx::{PgConnection, PgPool, Row, postgres::PgRow, query};
use uuid::Uuid;

use super::{super::bulk::each, lane::Result};
use crate::road::Contact;

/// How often a command is picked anew for a step whose pick was taken back by someone else at that very moment.
const PICKS: usize = 3;

/// `place` counts from 0.
macro_rules! identities {
    () => {
        "s.n - 1 AS place, c.tenant, e.device, c.enrollment, e.key, e.state AS enrollment_state,
             c.state AS certificate_state"
    };
}

const LOOK: &str = concat!(
    "SELECT ",
    identities!(),
    ", EXISTS (SELECT 1 FROM commands m WHERE m.tenant = c.tenant AND m.device = e.device AND m.channel = s.channel
             AND m.state < 3 AND m.enrollment = c.enrollment AND (NOT s.renewal_only OR m.dedupe = 'renewal')) AS waits
     FROM UNNEST($1::bytea[], $2::text[], $3::bool[]) WITH ORDINALITY AS s (fingerprint, channel, renewal_only, n)
         JOIN certificates c ON c.fingerprint = s.fingerprint
         JOIN enrollments e ON e.tenant = c.tenant AND e.id = c.enrollment"
);

/// A statement of its own: what the next one reads was committed by whoever held these rows before.
const LOCK: &str = concat!(
    "SELECT ",
    identities!(),
    " FROM UNNEST($1::bytea[]) WITH ORDINALITY AS s (fingerprint, n)
         JOIN certificates c ON c.fingerprint = s.fingerprint
         JOIN enrollments e ON e.tenant = c.tenant AND e.id = c.enrollment
     ORDER BY e.tenant, e.device, e.id FOR UPDATE OF e"
);

/// The parts of one statement do not see each other's writes: the command just reported is left out by name, and what
/// someone else took back since the snapshot is not handed over.
const POLL: &str = "
    WITH step AS MATERIALIZED (
        SELECT * FROM UNNEST($1::bigint[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::uuid[], $7::smallint[],
            $8::bytea[], $9::bool[], $10::bool[], $11::bigint[])
        AS s (place, tenant, device, enrollment, channel, command, state, result, idle, renewal_only, now)
    ), reported AS (
        UPDATE commands m SET state = s.state, result = s.result,
            finished_at = CASE WHEN s.state >= 3 THEN s.now END
        FROM step s
        WHERE m.tenant = s.tenant AND m.device = s.device AND m.id = s.command AND m.channel = s.channel
            AND m.enrollment = s.enrollment AND m.state < 3
        RETURNING s.place, m.tenant, m.device, m.id, s.state, s.now
    ), noted AS (
        INSERT INTO outcomes (tenant, device, command, at)
        SELECT tenant, device, id, now FROM reported WHERE state >= 3
    ), picked AS MATERIALIZED (
        SELECT s.place, s.tenant, s.device, s.now, q.id FROM step s CROSS JOIN LATERAL (
            SELECT m.id FROM commands m
            WHERE m.tenant = s.tenant AND m.device = s.device AND m.channel = s.channel AND m.state < 3
                AND m.enrollment = s.enrollment AND (s.idle OR m.state = 0) AND m.id IS DISTINCT FROM s.command
                AND (NOT s.renewal_only OR m.dedupe = 'renewal')
            ORDER BY m.id LIMIT 1) q
    ), handed AS (
        UPDATE commands m SET state = 1, handed_over_at = p.now FROM picked p
        WHERE m.tenant = p.tenant AND m.device = p.device AND m.id = p.id AND m.state < 3
        RETURNING p.place, m.id, m.payload, m.sealed
    )
    SELECT s.place, r.place IS NOT NULL AS known, p.place IS NOT NULL AND h.place IS NULL AS missed,
        s.tenant, s.device, h.id AS command, h.payload, h.sealed
    FROM step s LEFT JOIN reported r USING (place) LEFT JOIN picked p USING (place) LEFT JOIN handed h USING (place)";

/// A channel whose token was dead is woken if something waits: nobody was told of it meanwhile.
const UPDATE_TOKENS: &str = "
    WITH step AS MATERIALIZED (
        SELECT * FROM UNNEST($1::bigint[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::bytea[], $7::text[],
            $8::bytea[], $9::bigint[], $10::bigint[])
        AS s (place, tenant, device, enrollment, channel, token, magic, unlock_token, updated_at, now)
    ), known AS MATERIALIZED (
        SELECT s.*, c.push_token IS NULL AS was_dead FROM step s
            JOIN channels c ON c.tenant = s.tenant AND c.enrollment = s.enrollment AND c.channel = s.channel
        ORDER BY c.tenant, c.enrollment, c.channel FOR UPDATE OF c
    ), told AS (
        UPDATE channels c SET push_token = k.token, push_magic = k.magic, updated_at = k.updated_at,
            unlock_token = COALESCE(k.unlock_token, c.unlock_token)
        FROM known k WHERE c.tenant = k.tenant AND c.enrollment = k.enrollment AND c.channel = k.channel
    ), asked AS (
        INSERT INTO pushes (tenant, device, channel, due_at, generation)
        SELECT k.tenant, k.device, k.channel, k.now, k.now FROM known k
        WHERE k.was_dead AND k.token IS NOT NULL AND EXISTS (
            SELECT 1 FROM commands m WHERE m.tenant = k.tenant AND m.device = k.device AND m.channel = k.channel
                AND m.state < 3 AND m.enrollment = k.enrollment)
        ORDER BY k.tenant, k.device, k.channel
        ON CONFLICT (tenant, device, channel) DO UPDATE SET
            due_at = least(pushes.due_at, excluded.due_at), generation = pushes.generation + 1
    )
    SELECT place FROM known";

/// In order, as everyone who locks several of these rows does it; never an earlier time than what is there.
const SET_CONTACTS: &str = "
    WITH spoke AS MATERIALIZED (
        SELECT d.tenant, d.id, s.at FROM UNNEST($1::uuid[], $2::uuid[], $3::bigint[]) AS s (tenant, device, at)
            JOIN devices d ON d.tenant = s.tenant AND d.id = s.device
        ORDER BY d.tenant, d.id FOR UPDATE OF d
    )
    UPDATE devices d SET last_contact = greatest(d.last_contact, s.at) FROM spoke s
    WHERE d.tenant = s.tenant AND d.id = s.id";

/// A step that is served, and its place in the group.
pub(super) struct Placed<'a, S> {
    pub(super) place: usize,
    pub(super) who: &'a Identity,
    pub(super) step: &'a S,
}

/// What a look brought.
pub(super) struct Seen {
    pub(super) identity: Identity,
    pub(super) waits: bool,
}

/// Who asks, and whether something waits for them; in the order of the steps, `None` for an unknown certificate.
pub(super) async fn look(connection: &mut PgConnection, steps: &[&Poll]) -> Result<Vec<Option<Seen>>> {
    let select = query(LOOK)
        .bind(each(steps, |step| &step.fingerprint.0[..]))
        .bind(each(steps, |step| step.channel.0.as_str()))
        .bind(each(steps, |step| step.renewal_only));
    let mut seen: Vec<Option<Seen>> = steps.iter().map(|_| None).collect();
    for row in select.fetch_all(connection).await? {
        let found = Seen { identity: identity(&row)?, waits: row.try_get("waits")? };
        put(&mut seen, place(&row)?, found);
    }
    Ok(seen)
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
        let mut missed = HashSet::new();
        for row in poll_once(connection, &open, round == 0).await? {
            let place = place(&row)?;
            let known: bool = row.try_get("known")?;
            let answer: &mut PollAnswer = answers.entry(place).or_default();
            answer.report_known |= known;
            answer.next = handed_over(&row)?;
            if row.try_get("missed")? {
                missed.insert(place);
            }
        }
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
        .bind(each(steps, |step| step.step.now.0));
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
        .bind(each(steps, |step| step.step.now.0));
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
