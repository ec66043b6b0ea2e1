-- A tenant's place at Google.
CREATE TABLE android_enterprises (
    tenant UUID NOT NULL PRIMARY KEY,
    sealed_account BYTEA NOT NULL,
    project TEXT COLLATE "C" NOT NULL,
    signup TEXT,
    name TEXT COLLATE "C" UNIQUE,
    subscription TEXT,
    compare_at BIGINT NOT NULL,
    pulled_at BIGINT,
    trouble TEXT
);

-- Calls to Google that wait, and commands on their way to their devices (those with an operation). A call without a device
-- outlives the device's record: it gives the device up at Google, and names nothing but the resource.
CREATE TABLE android_calls (
    tenant UUID NOT NULL,
    id UUID NOT NULL,
    kind SMALLINT NOT NULL,
    device UUID,
    resource TEXT COLLATE "C" NOT NULL,
    after_command UUID,
    operation TEXT COLLATE "C",
    ends_at BIGINT,
    due_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    claimed_until BIGINT NOT NULL DEFAULT 0,
    said TEXT,
    PRIMARY KEY (tenant, id)
);
CREATE INDEX android_calls_due ON android_calls (due_at) WHERE after_command IS NULL;
CREATE INDEX android_calls_of_device ON android_calls (tenant, device) WHERE device IS NOT NULL;
CREATE INDEX android_calls_of_resource ON android_calls (tenant, resource) WHERE device IS NULL;
CREATE UNIQUE INDEX android_calls_by_operation ON android_calls (tenant, operation) WHERE operation IS NOT NULL;

-- As they came; once applied only the id is left, to know a repetition.
CREATE TABLE android_notifications (
    tenant UUID NOT NULL,
    message_id TEXT COLLATE "C" NOT NULL,
    resource TEXT COLLATE "C",
    body TEXT,
    received_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    claimed_until BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, message_id)
);
CREATE INDEX android_notifications_due ON android_notifications (due_at) WHERE body IS NOT NULL;
CREATE INDEX android_notifications_of_resource ON android_notifications (tenant, resource) WHERE resource IS NOT NULL;
CREATE INDEX android_notifications_by_age ON android_notifications (received_at) WHERE body IS NULL;

-- How many queries a project has used in a stretch of time: all nodes share them.
CREATE TABLE android_queries (
    project TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    stretch BIGINT NOT NULL,
    used BIGINT NOT NULL
);
