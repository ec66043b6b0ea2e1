-- A user may have no password, and SQLite cannot take a NOT NULL back but by a new table.
CREATE TABLE users_with_names (
    tenant BLOB NOT NULL,
    id BLOB NOT NULL,
    email TEXT NOT NULL,
    -- Unique over all tenants.
    email_key TEXT NOT NULL UNIQUE,
    password_hash TEXT,
    created_at INTEGER NOT NULL,
    first_name TEXT,
    last_name TEXT,
    phone TEXT,
    managed_apple_id TEXT,
    enabled INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (tenant, id)
) STRICT;
INSERT INTO users_with_names (tenant, id, email, email_key, password_hash, created_at)
    SELECT tenant, id, email, email_key, password_hash, created_at FROM users;
DROP TABLE users;
ALTER TABLE users_with_names RENAME TO users;
CREATE INDEX users_by_id ON users (id);

CREATE INDEX devices_of_user ON devices (tenant, user_id, id) WHERE user_id IS NOT NULL;
CREATE INDEX enrollment_links_of_user ON enrollment_links (tenant, user_id) WHERE user_id IS NOT NULL;

-- Looked up by hash before the tenant is known. One of user_id and admin is set.
CREATE TABLE access_tokens (
    hash BLOB NOT NULL PRIMARY KEY,
    tenant BLOB NOT NULL,
    user_id BLOB,
    admin BLOB,
    password BLOB NOT NULL,
    issued_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX access_tokens_of_user ON access_tokens (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX access_tokens_of_admin ON access_tokens (admin) WHERE admin IS NOT NULL;
CREATE INDEX access_tokens_by_end ON access_tokens (expires_at);

-- Attempts at accounts, by the hash of their names.
CREATE TABLE attempts (
    account BLOB NOT NULL PRIMARY KEY,
    even_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX attempts_by_end ON attempts (even_at);

CREATE TABLE groups (
    tenant BLOB NOT NULL,
    id BLOB NOT NULL,
    name TEXT NOT NULL,
    description TEXT,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, name)
) STRICT;
