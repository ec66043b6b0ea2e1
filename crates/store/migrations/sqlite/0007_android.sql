-- A tenant's place at Google.
CREATE TABLE android_enterprises (
    tenant BLOB NOT NULL PRIMARY KEY,
    sealed_account BLOB NOT NULL,
    project TEXT NOT NULL,
    signup TEXT,
    name TEXT UNIQUE,
    subscription TEXT,
    compare_at INTEGER NOT NULL,
    pulled_at INTEGER,
    trouble TEXT
) STRICT;

-- Calls to Google that wait, and commands on their way to their devices (those with an operation). A call without a device
-- outlives the device's record: it gives the device up at Google, and names nothing but the resource.
CREATE TABLE android_calls (
    tenant BLOB NOT NULL,
    id BLOB NOT NULL,
    kind INTEGER NOT NULL,
    device BLOB,
    resource TEXT NOT NULL,
    after_command BLOB,
    operation TEXT,
    ends_at INTEGER,
    due_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    claimed_until INTEGER NOT NULL DEFAULT 0,
    said TEXT,
    PRIMARY KEY (tenant, id)
) STRICT;
CREATE INDEX android_calls_due ON android_calls (due_at) WHERE after_command IS NULL;
CREATE INDEX android_calls_of_device ON android_calls (tenant, device) WHERE device IS NOT NULL;
CREATE INDEX android_calls_of_resource ON android_calls (tenant, resource) WHERE device IS NULL;
CREATE UNIQUE INDEX android_calls_by_operation ON android_calls (tenant, operation) WHERE operation IS NOT NULL;

-- As they came; once applied only the id is left, to know a repetition.
CREATE TABLE android_notifications (
    tenant BLOB NOT NULL,
    message_id TEXT NOT NULL,
    resource TEXT,
    body TEXT,
    received_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    claimed_until INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, message_id)
) STRICT;
CREATE INDEX android_notifications_due ON android_notifications (due_at) WHERE body IS NOT NULL;
CREATE INDEX android_notifications_of_resource ON android_notifications (tenant, resource) WHERE resource IS NOT NULL;
CREATE INDEX android_notifications_by_age ON android_notifications (received_at) WHERE body IS NULL;

-- How many queries a project has used in a stretch of time: all nodes share them.
CREATE TABLE android_queries (
    project TEXT NOT NULL PRIMARY KEY,
    stretch INTEGER NOT NULL,
    used INTEGER NOT NULL
) STRICT;
