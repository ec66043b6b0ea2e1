-- Times are milliseconds since 1970 UTC. Text that is compared or sorted is compared by its bytes, as in SQLite.
-- States are the codes of the domain's enums; open commands are those below 3.

CREATE TABLE tenants (
    id UUID PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL UNIQUE,
    created_at BIGINT NOT NULL
);

CREATE TABLE admins (
    id UUID PRIMARY KEY,
    email TEXT NOT NULL,
    -- The address in lower case, by Unicode's rules.
    email_key TEXT COLLATE "C" NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE admin_roles (
    admin UUID NOT NULL REFERENCES admins (id),
    tenant UUID NOT NULL REFERENCES tenants (id),
    role TEXT NOT NULL,
    PRIMARY KEY (admin, tenant)
);

CREATE TABLE api_keys (
    id UUID PRIMARY KEY,
    admin UUID NOT NULL REFERENCES admins (id),
    hash BYTEA NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    revoked_at BIGINT
);

CREATE TABLE applications (
    id UUID PRIMARY KEY,
    tenant UUID NOT NULL REFERENCES tenants (id),
    name TEXT NOT NULL,
    secret_hash BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    revoked_at BIGINT
);
CREATE INDEX applications_of_tenant ON applications (tenant);

CREATE TABLE installation (
    name TEXT COLLATE "C" PRIMARY KEY,
    value BYTEA NOT NULL
);

CREATE TABLE users (
    tenant UUID NOT NULL,
    id UUID NOT NULL,
    email TEXT NOT NULL,
    -- Unique over all tenants.
    email_key TEXT COLLATE "C" NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, id)
);

CREATE TABLE enrollment_links (
    tenant UUID NOT NULL,
    id UUID NOT NULL,
    token_hash BYTEA NOT NULL UNIQUE,
    user_id UUID,
    device UUID,
    max_uses BIGINT NOT NULL,
    used BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE INDEX enrollment_links_for_device ON enrollment_links (tenant, device) WHERE device IS NOT NULL;

CREATE TABLE device_cas (
    tenant UUID NOT NULL,
    fingerprint BYTEA NOT NULL,
    certificate BYTEA NOT NULL,
    pattern TEXT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, fingerprint)
);

CREATE TABLE push_certificates (
    tenant UUID PRIMARY KEY,
    topic TEXT NOT NULL,
    certificates TEXT NOT NULL,
    sealed_key BYTEA NOT NULL,
    expires_at BIGINT NOT NULL,
    imported_at BIGINT NOT NULL
);

CREATE TABLE push_request_keys (
    tenant UUID PRIMARY KEY,
    sealed BYTEA NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE enrollments (
    tenant UUID NOT NULL,
    id UUID NOT NULL,
    device UUID NOT NULL,
    key TEXT COLLATE "C",
    state SMALLINT NOT NULL,
    link UUID,
    wanted_device UUID,
    user_id UUID,
    created_at BIGINT NOT NULL,
    claimed TEXT,
    PRIMARY KEY (tenant, id)
);
CREATE INDEX enrollments_of_device ON enrollments (tenant, device);
CREATE INDEX enrollments_by_key ON enrollments (tenant, key);
CREATE INDEX enrollments_wanting ON enrollments (tenant, wanted_device) WHERE wanted_device IS NOT NULL;

-- Looked up by fingerprint before the tenant is known.
CREATE TABLE certificates (
    fingerprint BYTEA PRIMARY KEY,
    tenant UUID NOT NULL,
    enrollment UUID NOT NULL,
    state SMALLINT NOT NULL,
    not_after BIGINT NOT NULL,
    -- In the order in which they were added.
    seq BIGINT GENERATED ALWAYS AS IDENTITY,
    challenge BYTEA UNIQUE,
    key_digest BYTEA NOT NULL,
    der BYTEA NOT NULL
);
CREATE INDEX certificates_of_enrollment ON certificates (tenant, enrollment, seq);
CREATE INDEX certificates_ending ON certificates (not_after) WHERE state = 1;

CREATE TABLE channels (
    tenant UUID NOT NULL,
    enrollment UUID NOT NULL,
    channel TEXT COLLATE "C" NOT NULL,
    device UUID NOT NULL,
    -- NULL once APNs said that it is dead.
    push_token BYTEA,
    push_magic TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    pushed_at BIGINT,
    push_said TEXT,
    unlock_token BYTEA,
    PRIMARY KEY (tenant, enrollment, channel)
);
CREATE INDEX channels_of_device ON channels (tenant, device);

CREATE TABLE devices (
    tenant UUID NOT NULL,
    id UUID NOT NULL,
    enrollment UUID NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    user_id UUID,
    external_id TEXT COLLATE "C",
    managed BOOLEAN NOT NULL,
    wiped BOOLEAN NOT NULL,
    profile_removed BOOLEAN NOT NULL,
    quarantined BOOLEAN NOT NULL,
    enrolled_at BIGINT NOT NULL,
    last_contact BIGINT,
    serial_number TEXT COLLATE "C",
    located_at BIGINT,
    -- JSON of domain::Facts.
    facts TEXT NOT NULL,
    PRIMARY KEY (tenant, id)
) WITH (fillfactor = 80); -- The last contact changes all day: leave room to do it in place.
CREATE UNIQUE INDEX devices_by_key ON devices (tenant, key) WHERE NOT quarantined;
CREATE UNIQUE INDEX devices_by_external_id ON devices (tenant, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX devices_by_serial_number ON devices (tenant, serial_number) WHERE serial_number IS NOT NULL;

CREATE TABLE device_imeis (
    tenant UUID NOT NULL,
    imei TEXT COLLATE "C" NOT NULL,
    device UUID NOT NULL,
    PRIMARY KEY (tenant, imei, device)
);
CREATE INDEX imeis_of_device ON device_imeis (tenant, device);

CREATE TABLE commands (
    tenant UUID NOT NULL,
    device UUID NOT NULL,
    id UUID NOT NULL,
    enrollment UUID NOT NULL,
    channel TEXT COLLATE "C" NOT NULL,
    state SMALLINT NOT NULL,
    sealed BOOLEAN NOT NULL,
    queued_at BIGINT NOT NULL,
    handed_over_at BIGINT,
    finished_at BIGINT,
    request_type TEXT NOT NULL,
    action TEXT COLLATE "C",
    dedupe TEXT COLLATE "C",
    payload BYTEA NOT NULL,
    result BYTEA,
    PRIMARY KEY (tenant, device, id)
);
CREATE INDEX open_commands ON commands (tenant, device, channel, id) WHERE state < 3;
CREATE UNIQUE INDEX open_commands_by_dedupe ON commands (tenant, device, channel, dedupe)
    WHERE state < 3 AND dedupe IS NOT NULL;
CREATE INDEX renewals ON commands (tenant, device, queued_at) WHERE dedupe = 'renewal';

CREATE TABLE outcomes (
    tenant UUID NOT NULL,
    device UUID NOT NULL,
    command UUID NOT NULL,
    at BIGINT NOT NULL,
    claimed_until BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, device, command)
);
CREATE INDEX outcomes_by_age ON outcomes (at);

CREATE TABLE pushes (
    tenant UUID NOT NULL,
    device UUID NOT NULL,
    channel TEXT COLLATE "C" NOT NULL,
    due_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    claimed_until BIGINT NOT NULL DEFAULT 0,
    generation BIGINT NOT NULL,
    PRIMARY KEY (tenant, device, channel)
);
CREATE INDEX pushes_due ON pushes (due_at);

CREATE TABLE escrow (
    tenant UUID NOT NULL,
    device UUID NOT NULL,
    id UUID NOT NULL,
    enrollment UUID NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    command UUID,
    sealed BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, device, id)
);

CREATE TABLE purges (
    tenant UUID NOT NULL,
    id UUID NOT NULL,
    asked_by TEXT NOT NULL,
    asked_at BIGINT NOT NULL,
    asked BIGINT NOT NULL,
    purged BIGINT NOT NULL,
    skipped BIGINT NOT NULL,
    failed BIGINT NOT NULL,
    finished_at BIGINT,
    claimed_until BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, id)
);
CREATE INDEX purges_by_age ON purges (tenant, asked_at);
CREATE INDEX open_purges ON purges (asked_at) WHERE finished_at IS NULL;

CREATE TABLE purge_ids (
    tenant UUID NOT NULL,
    purge UUID NOT NULL,
    is_guid BOOLEAN NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, purge, is_guid, name)
);

CREATE TABLE tombstones (
    fingerprint BYTEA PRIMARY KEY,
    tenant UUID NOT NULL,
    expires_at BIGINT NOT NULL,
    understands_unrecognized BOOLEAN NOT NULL,
    -- The farewell; all NULL once it was accepted.
    push_token BYTEA,
    push_magic TEXT,
    due_at BIGINT,
    attempts BIGINT NOT NULL DEFAULT 0,
    claimed_until BIGINT NOT NULL DEFAULT 0,
    generation BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX tombstones_by_end ON tombstones (expires_at);
CREATE INDEX farewells_due ON tombstones (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE audit (
    tenant UUID NOT NULL,
    seq BIGINT GENERATED ALWAYS AS IDENTITY,
    device UUID,
    kind TEXT NOT NULL,
    actor TEXT NOT NULL,
    -- JSON.
    details TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (tenant, seq)
);
CREATE INDEX audit_of_device ON audit (tenant, device, seq) WHERE device IS NOT NULL;

-- How many requests of a kind an application ever made, and when the last ones were: a ring of 10,000.
CREATE TABLE request_counters (
    tenant UUID NOT NULL,
    application UUID NOT NULL,
    kind SMALLINT NOT NULL,
    requests BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, application, kind)
);

CREATE TABLE request_times (
    tenant UUID NOT NULL,
    application UUID NOT NULL,
    kind SMALLINT NOT NULL,
    slot BIGINT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (tenant, application, kind, slot)
);
