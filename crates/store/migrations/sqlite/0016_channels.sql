-- Channels with unlock tokens (1 to 2 KB) were too wide for a tree whose rows stand in its keys: most of such a row stood in a page of
-- its own, which was written anew with each push and each token.
CREATE TABLE channels_by_rowid (
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
    bootstrap_token BLOB,
    declared TEXT,
    declared_at INTEGER,
    declarations_refused TEXT,
    unlock_token_at INTEGER,
    bootstrap_token_at INTEGER,
    user_name TEXT,
    awaiting INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, enrollment, channel)
) STRICT;
INSERT INTO channels_by_rowid
    SELECT tenant, enrollment, channel, device, push_token, push_magic, updated_at, pushed_at, push_said, unlock_token,
        bootstrap_token, declared, declared_at, declarations_refused, unlock_token_at, bootstrap_token_at, user_name, awaiting
    FROM channels;
DROP TABLE channels;
ALTER TABLE channels_by_rowid RENAME TO channels;
CREATE INDEX channels_of_device ON channels (tenant, device);
