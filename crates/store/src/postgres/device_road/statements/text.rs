//! What the statements say.

/// `place` counts from 0.
macro_rules! identities {
    () => {
        "s.n - 1 AS place, c.tenant, e.device, c.enrollment, e.key, e.state AS enrollment_state,
             c.state AS certificate_state"
    };
}

macro_rules! open {
    () => {
        concat!(
            "SELECT true FROM commands m WHERE m.tenant = c.tenant AND ",
            open_device!("m."),
            " = e.device AND m.channel = s.channel AND m.finished_at IS NULL AND m.enrollment = c.enrollment"
        )
    };
}

/// `is_open` also for what is there for later.
pub(super) const LOOK: &str = concat!(
    "SELECT ",
    identities!(),
    ", o.is_open IS NOT NULL AS is_open, o.is_open IS NOT NULL AND (",
    open!(),
    " AND m.not_before <= s.now
             AND (m.expires_at IS NULL OR m.expires_at > s.now) AND (NOT s.renewal_only OR m.dedupe = 'renewal')
             LIMIT 1) IS NOT NULL AS waits
     FROM UNNEST($1::bytea[], $2::text[], $3::bool[], $4::bigint[])
             WITH ORDINALITY AS s (fingerprint, channel, renewal_only, now, n)
         JOIN certificates c ON c.fingerprint = s.fingerprint
         JOIN enrollments e ON e.tenant = c.tenant AND e.id = c.enrollment
         CROSS JOIN LATERAL (SELECT (",
    open!(),
    " LIMIT 1) AS is_open OFFSET 0) o"
);

/// What has changed since a moment: what was noted by the oldest transaction that was not over then, and by all that are numbered
/// behind it, without those that the moment had seen. Where there are as many `rows` as are read at most, some may be missing.
pub(super) const CHANGES: &str = "
    SELECT pg_current_snapshot()::text AS snapshot,
        (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint AS server,
        (SELECT since FROM changes_kept) > pg_snapshot_xmin($1::pg_snapshot) AS is_forgotten, c.rows, c.enrollments
    FROM (
        SELECT count(*) AS rows,
            string_agg(enrollments, '') FILTER (WHERE NOT pg_visible_in_snapshot(made_by, $1::pg_snapshot)) AS enrollments
        FROM (SELECT made_by, enrollments FROM changes WHERE made_by >= pg_snapshot_xmin($1::pg_snapshot)
            ORDER BY made_by LIMIT $2) n
    ) c";

/// Whether the database notes all changes by itself, and counts transactions as PostgreSQL does.
pub(super) const ARE_NOTED: &str = "
    SELECT count(*) = 6 AND version() LIKE 'PostgreSQL %' AND version() NOT LIKE '%-YB-%' AS noted FROM pg_trigger
    WHERE tgname LIKE 'changes\\_%' AND tgenabled IN ('O', 'A')
        AND tgrelid IN ('commands'::regclass, 'enrollments'::regclass, 'certificates'::regclass)";

/// A statement of its own: what the next one reads was committed by whoever held these rows before.
pub(super) const LOCK: &str = concat!(
    "SELECT ",
    identities!(),
    " FROM UNNEST($1::bytea[]) WITH ORDINALITY AS s (fingerprint, n)
         JOIN certificates c ON c.fingerprint = s.fingerprint
         JOIN enrollments e ON e.tenant = c.tenant AND e.id = c.enrollment
     ORDER BY e.tenant, e.device, e.id FOR UPDATE OF e"
);

/// The parts of one statement do not see each other's writes: the command just reported is left out by name, and what
/// someone else took back since the snapshot is not handed over. (That it is still open is told by its state: told by the time at
/// which it was finished, a plan that was made while nothing was open would go along the index of what is.)
pub(super) const POLL: &str = concat!(
    "
    WITH step AS MATERIALIZED (
        SELECT * FROM UNNEST($1::bigint[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::uuid[], $7::smallint[],
            $8::bytea[], $9::bool[], $10::bool[], $11::bigint[], $13::bool[])
        AS s (place, tenant, device, enrollment, channel, command, state, result, idle, renewal_only, now, sealed)
    ), reported AS (
        UPDATE commands m SET state = s.state, result = s.result, result_sealed = s.sealed,
            finished_at = CASE WHEN s.state >= 3 THEN s.now END,
            put_off = CASE WHEN s.state >= 3 THEN m.put_off ELSE m.put_off + 1 END,
            wake_at = CASE WHEN s.state >= 3 THEN m.wake_at ELSE s.now + $12::bigint * (1 << least(m.put_off, 6)::int) END
        FROM step s
        WHERE m.tenant = s.tenant AND m.device = s.device AND m.id = s.command AND m.channel = s.channel
            AND m.enrollment = s.enrollment
            AND (m.state < 3 OR s.state >= 3 AND m.state >= 5 AND m.handed_over_at IS NOT NULL)
        RETURNING s.place, m.tenant, m.device, m.id, m.request_type, s.state, s.now, m.conversation
    ), noted AS (
        INSERT INTO outcomes (tenant, device, command, at)
        SELECT tenant, device, id, now FROM reported WHERE state >= 3 AND request_type = ANY($14)
    ), picked AS MATERIALIZED (
        SELECT s.place, s.tenant, s.device, s.now, q.id,
            CASE WHEN s.idle THEN greatest(s.now, 1 + (
                SELECT max(m.conversation) FROM commands m WHERE m.tenant = s.tenant AND ",
    open_device!("m."),
    " = s.device
                    AND m.channel = s.channel AND m.finished_at IS NULL))
                ELSE COALESCE(r.conversation, 0) END AS conversation
        FROM step s LEFT JOIN reported r USING (place) CROSS JOIN LATERAL (
            SELECT m.id FROM commands m
            WHERE m.tenant = s.tenant AND ",
    open_device!("m."),
    " = s.device AND m.channel = s.channel AND m.finished_at IS NULL
                AND m.enrollment = s.enrollment AND m.id IS DISTINCT FROM s.command
                AND m.not_before <= s.now AND (m.expires_at IS NULL OR m.expires_at > s.now)
                AND (s.idle OR m.state = 0 OR m.state = 2 AND m.conversation < r.conversation)
                AND (NOT s.renewal_only OR m.dedupe = 'renewal')
            ORDER BY m.rank, m.id LIMIT 1) q
    ), handed AS (
        UPDATE commands m SET state = 1, handed_over_at = p.now, conversation = p.conversation FROM picked p
        WHERE m.tenant = p.tenant AND m.device = p.device AND m.id = p.id AND m.state < 3
        RETURNING p.place, m.id, m.payload, m.sealed
    )
    SELECT s.place, r.request_type, p.place IS NOT NULL AND h.place IS NULL AS missed,
        s.tenant, s.device, h.id AS command, h.payload, h.sealed
    FROM step s LEFT JOIN reported r USING (place) LEFT JOIN picked p USING (place) LEFT JOIN handed h USING (place)"
);

pub(super) const RECORD: &str = "
    INSERT INTO audit (tenant, device, kind, actor, details, at)
    SELECT tenant, device, kind, actor, details, at
    FROM UNNEST($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::bigint[])
        WITH ORDINALITY AS e (tenant, device, kind, actor, details, at, n) ORDER BY n";

/// A channel whose token was dead is woken if something waits: nobody was told of it meanwhile.
pub(super) const UPDATE_TOKENS: &str = concat!(
    "
    WITH step AS MATERIALIZED (
        SELECT * FROM UNNEST($1::bigint[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::bytea[], $7::text[],
            $8::bytea[], $9::bigint[], $10::bigint[], $11::text[])
        AS s (place, tenant, device, enrollment, channel, token, magic, unlock_token, updated_at, now, topic)
    ), known AS MATERIALIZED (
        SELECT s.*, c.push_token IS NULL AS was_dead FROM step s
            JOIN channels c ON c.tenant = s.tenant AND c.enrollment = s.enrollment AND c.channel = s.channel
        WHERE s.topic IS NULL OR EXISTS (
            SELECT 1 FROM push_certificates p WHERE p.tenant = s.tenant AND p.topic = s.topic)
        ORDER BY c.tenant, c.enrollment, c.channel FOR UPDATE OF c
    ), told AS (
        UPDATE channels c SET push_token = k.token, push_magic = k.magic, updated_at = k.updated_at,
            unlock_token = COALESCE(k.unlock_token, c.unlock_token),
            unlock_token_at = CASE WHEN k.unlock_token IS NULL THEN c.unlock_token_at ELSE k.updated_at END
        FROM known k WHERE c.tenant = k.tenant AND c.enrollment = k.enrollment AND c.channel = k.channel
    ), asked AS (
        INSERT INTO pushes (tenant, device, channel, due_at, generation)
        SELECT k.tenant, k.device, k.channel, k.now, k.now FROM known k
        WHERE k.was_dead AND k.token IS NOT NULL AND (
            SELECT true FROM commands m WHERE m.tenant = k.tenant AND ",
    open_device!("m."),
    " = k.device AND m.channel = k.channel
                AND m.finished_at IS NULL AND m.enrollment = k.enrollment LIMIT 1)
        ORDER BY k.tenant, k.device, k.channel
        ON CONFLICT (tenant, device, channel) DO UPDATE SET
            due_at = least(pushes.due_at, excluded.due_at), generation = pushes.generation + 1
    )
    SELECT place FROM known"
);

/// In order, as everyone who locks several of these rows does it; never an earlier time than what is there.
pub(super) const SET_CONTACTS: &str = "
    WITH spoke AS MATERIALIZED (
        SELECT d.tenant, d.id, s.at FROM UNNEST($1::uuid[], $2::uuid[], $3::bigint[]) AS s (tenant, device, at)
            JOIN devices d ON d.tenant = s.tenant AND d.id = s.device
        ORDER BY d.tenant, d.id FOR UPDATE OF d
    )
    UPDATE devices d SET last_contact = greatest(d.last_contact, s.at) FROM spoke s
    WHERE d.tenant = s.tenant AND d.id = s.id";
