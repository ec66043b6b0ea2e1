ALTER TABLE users
    ALTER COLUMN password_hash DROP NOT NULL,
    ADD COLUMN first_name TEXT,
    ADD COLUMN last_name TEXT,
    ADD COLUMN phone TEXT,
    ADD COLUMN managed_apple_id TEXT,
    ADD COLUMN enabled BOOLEAN NOT NULL DEFAULT TRUE;
CREATE INDEX users_by_id ON users (id);

CREATE INDEX devices_of_user ON devices (tenant, user_id, id) WHERE user_id IS NOT NULL;
CREATE INDEX enrollment_links_of_user ON enrollment_links (tenant, user_id) WHERE user_id IS NOT NULL;

-- Looked up by hash before the tenant is known. One of user_id and admin is set.
CREATE TABLE access_tokens (
    hash BYTEA PRIMARY KEY,
    tenant UUID NOT NULL,
    user_id UUID,
    admin UUID,
    password BYTEA NOT NULL,
    issued_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX access_tokens_of_user ON access_tokens (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX access_tokens_of_admin ON access_tokens (admin) WHERE admin IS NOT NULL;
CREATE INDEX access_tokens_by_end ON access_tokens (expires_at);

-- Attempts at accounts, by the hash of their names.
CREATE TABLE attempts (
    account BYTEA PRIMARY KEY,
    even_at BIGINT NOT NULL
);
CREATE INDEX attempts_by_end ON attempts (even_at);

CREATE TABLE groups (
    tenant UUID NOT NULL,
    id UUID NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    description TEXT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, name)
);
