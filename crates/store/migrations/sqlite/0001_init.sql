-- Times are milliseconds since 1970 UTC. UUIDs are blobs of 16 bytes.
-- States are the codes of the domain's enums; open commands are those below 3.

CREATE TABLE tenants (
    id BLOB NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE admins (
    id BLOB NOT NULL PRIMARY KEY,
    email TEXT NOT NULL,
    -- The address in lower case, by Unicode's rules.
    email_key TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE admin_roles (
    admin BLOB NOT NULL REFERENCES admins (id),
    tenant BLOB NOT NULL REFERENCES tenants (id),
    role TEXT NOT NULL,
    PRIMARY KEY (admin, tenant)
) STRICT, WITHOUT ROWID;

CREATE TABLE api_keys (
    id BLOB NOT NULL PRIMARY KEY,
    admin BLOB NOT NULL REFERENCES admins (id),
    hash BLOB NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT;

CREATE TABLE applications (
    id BLOB NOT NULL PRIMARY KEY,
    tenant BLOB NOT NULL REFERENCES tenants (id),
    name TEXT NOT NULL,
    secret_hash BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT;
CREATE INDEX applications_of_tenant ON applications (tenant);

CREATE TABLE installation (
    name TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) STRICT;

CREATE TABLE users (
    tenant BLOB NOT NULL,
    id BLOB NOT NULL,
    email TEXT NOT NULL,
    -- Unique over all tenants.
    email_key TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT;

CREATE TABLE enrollment_links (
    tenant BLOB NOT NULL,
    id BLOB NOT NULL,
    token_hash BLOB NOT NULL UNIQUE,
    user_id BLOB,
    device BLOB,
    max_uses INTEGER NOT NULL,
    used INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT;
CREATE INDEX enrollment_links_for_device ON enrollment_links (tenant, device) WHERE device IS NOT NULL;

CREATE TABLE device_cas (
    tenant BLOB NOT NULL,
    fingerprint BLOB NOT NULL,
    certificate BLOB NOT NULL,
    pattern TEXT,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, fingerprint)
) STRICT;

CREATE TABLE push_certificates (
    tenant BLOB NOT NULL PRIMARY KEY,
    topic TEXT NOT NULL,
    certificates TEXT NOT NULL,
    sealed_key BLOB NOT NULL,
    expires_at INTEGER NOT NULL,
    imported_at INTEGER NOT NULL
) STRICT;

CREATE TABLE push_request_keys (
    tenant BLOB NOT NULL PRIMARY KEY,
    sealed BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE enrollments (
    tenant BLOB NOT NULL,
    id BLOB NOT NULL,
    device BLOB NOT NULL,
    key TEXT,
    state INTEGER NOT NULL,
    link BLOB,
    wanted_device BLOB,
    user_id BLOB,
    created_at INTEGER NOT NULL,
    claimed TEXT,
    PRIMARY KEY (tenant, id)
) STRICT;
CREATE INDEX enrollments_of_device ON enrollments (tenant, device);
CREATE INDEX enrollments_by_key ON enrollments (tenant, key);
CREATE INDEX enrollments_wanting ON enrollments (tenant, wanted_device) WHERE wanted_device IS NOT NULL;

-- Looked up by fingerprint before the tenant is known.
CREATE TABLE certificates (
    fingerprint BLOB NOT NULL UNIQUE,
    tenant BLOB NOT NULL,
    enrollment BLOB NOT NULL,
    state INTEGER NOT NULL,
    not_after INTEGER NOT NULL,
    -- In the order in which they were added.
    seq INTEGER PRIMARY KEY,
    challenge BLOB UNIQUE,
    key_digest BLOB NOT NULL,
    der BLOB NOT NULL
) STRICT;
CREATE INDEX certificates_of_enrollment ON certificates (tenant, enrollment, seq);
CREATE INDEX certificates_ending ON certificates (not_after) WHERE state = 1;

CREATE TABLE channels (
    tenant BLOB NOT NULL,
    enrollment BLOB NOT NULL,
    channel TEXT NOT NULL,
    device BLOB NOT NULL,
    -- NULL once APNs said that it is dead.
    push_token BLOB,
    push_magic TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    pushed_at INTEGER,
    push_said TEXT,
    unlock_token BLOB,
    PRIMARY KEY (tenant, enrollment, channel)
) STRICT, WITHOUT ROWID;
CREATE INDEX channels_of_device ON channels (tenant, device);

CREATE TABLE devices (
    tenant BLOB NOT NULL,
    id BLOB NOT NULL,
    enrollment BLOB NOT NULL,
    key TEXT NOT NULL,
    user_id BLOB,
    external_id TEXT,
    managed INTEGER NOT NULL,
    wiped INTEGER NOT NULL,
    profile_removed INTEGER NOT NULL,
    quarantined INTEGER NOT NULL,
    enrolled_at INTEGER NOT NULL,
    last_contact INTEGER,
    serial_number TEXT,
    located_at INTEGER,
    -- JSON of domain::Facts.
    facts TEXT NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT;
CREATE UNIQUE INDEX devices_by_key ON devices (tenant, key) WHERE NOT quarantined;
CREATE UNIQUE INDEX devices_by_external_id ON devices (tenant, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX devices_by_serial_number ON devices (tenant, serial_number) WHERE serial_number IS NOT NULL;

CREATE TABLE device_imeis (
    tenant BLOB NOT NULL,
    imei TEXT NOT NULL,
    device BLOB NOT NULL,
    PRIMARY KEY (tenant, imei, device)
) STRICT, WITHOUT ROWID;
CREATE INDEX imeis_of_device ON device_imeis (tenant, device);

CREATE TABLE commands (
    tenant BLOB NOT NULL,
    device BLOB NOT NULL,
    id BLOB NOT NULL,
    enrollment BLOB NOT NULL,
    channel TEXT NOT NULL,
    state INTEGER NOT NULL,
    sealed INTEGER NOT NULL,
    queued_at INTEGER NOT NULL,
    handed_over_at INTEGER,
    finished_at INTEGER,
    request_type TEXT NOT NULL,
    action TEXT,
    dedupe TEXT,
    payload BLOB NOT NULL,
    result BLOB,
    PRIMARY KEY (tenant, device, id)
) STRICT;
CREATE INDEX open_commands ON commands (tenant, device, channel, id) WHERE state < 3;
CREATE UNIQUE INDEX open_commands_by_dedupe ON commands (tenant, device, channel, dedupe)
    WHERE state < 3 AND dedupe IS NOT NULL;
CREATE INDEX renewals ON commands (tenant, device, queued_at) WHERE dedupe = 'renewal';

CREATE TABLE outcomes (
    tenant BLOB NOT NULL,
    device BLOB NOT NULL,
    command BLOB NOT NULL,
    at INTEGER NOT NULL,
    claimed_until INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, device, command)
) STRICT, WITHOUT ROWID;
CREATE INDEX outcomes_by_age ON outcomes (at);

CREATE TABLE pushes (
    tenant BLOB NOT NULL,
    device BLOB NOT NULL,
    channel TEXT NOT NULL,
    due_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    claimed_until INTEGER NOT NULL DEFAULT 0,
    generation INTEGER NOT NULL,
    PRIMARY KEY (tenant, device, channel)
) STRICT, WITHOUT ROWID;
CREATE INDEX pushes_due ON pushes (due_at);

CREATE TABLE escrow (
    tenant BLOB NOT NULL,
    device BLOB NOT NULL,
    id BLOB NOT NULL,
    enrollment BLOB NOT NULL,
    kind TEXT NOT NULL,
    command BLOB,
    sealed BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, device, id)
) STRICT;

CREATE TABLE purges (
    tenant BLOB NOT NULL,
    id BLOB NOT NULL,
    asked_by TEXT NOT NULL,
    asked_at INTEGER NOT NULL,
    asked INTEGER NOT NULL,
    purged INTEGER NOT NULL,
    skipped INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    finished_at INTEGER,
    claimed_until INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, id)
) STRICT;
CREATE INDEX purges_by_age ON purges (tenant, asked_at);
CREATE INDEX open_purges ON purges (asked_at) WHERE finished_at IS NULL;

CREATE TABLE purge_ids (
    tenant BLOB NOT NULL,
    purge BLOB NOT NULL,
    is_guid INTEGER NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (tenant, purge, is_guid, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE tombstones (
    fingerprint BLOB NOT NULL PRIMARY KEY,
    tenant BLOB NOT NULL,
    expires_at INTEGER NOT NULL,
    understands_unrecognized INTEGER NOT NULL,
    -- The farewell; all NULL once it was accepted.
    push_token BLOB,
    push_magic TEXT,
    due_at INTEGER,
    attempts INTEGER NOT NULL DEFAULT 0,
    claimed_until INTEGER NOT NULL DEFAULT 0,
    generation INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX tombstones_by_end ON tombstones (expires_at);
CREATE INDEX farewells_due ON tombstones (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE audit (
    tenant BLOB NOT NULL,
    seq INTEGER PRIMARY KEY,
    device BLOB,
    kind TEXT NOT NULL,
    actor TEXT NOT NULL,
    -- JSON.
    details TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX audit_of_tenant ON audit (tenant, seq);
CREATE INDEX audit_of_device ON audit (tenant, device, seq) WHERE device IS NOT NULL;

-- How many requests of a kind an application ever made, and when the last ones were: a ring of 10,000.
CREATE TABLE request_counters (
    tenant BLOB NOT NULL,
    application BLOB NOT NULL,
    kind INTEGER NOT NULL,
    requests INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, application, kind)
) STRICT, WITHOUT ROWID;

CREATE TABLE request_times (
    tenant BLOB NOT NULL,
    application BLOB NOT NULL,
    kind INTEGER NOT NULL,
    slot INTEGER NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (tenant, application, kind, slot)
) STRICT, WITHOUT ROWID;
