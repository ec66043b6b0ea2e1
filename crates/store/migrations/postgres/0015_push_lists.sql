-- Devices that are to be woken at one time, for a command to many of them: each becomes a push once that time has come.
CREATE TABLE push_lists (
    tenant UUID NOT NULL,
    seq BIGINT GENERATED ALWAYS AS IDENTITY,
    due_at BIGINT NOT NULL,
    -- Their ids, of sixteen bytes each, one behind the other.
    devices BYTEA NOT NULL,
    PRIMARY KEY (tenant, seq)
);
CREATE INDEX push_lists_due ON push_lists (due_at);
-- Ids are drawn at random, for the most part: there is nothing to compress.
ALTER TABLE push_lists ALTER COLUMN devices SET STORAGE EXTERNAL;
ALTER TABLE push_lists ALTER COLUMN tenant SET STATISTICS 10, ALTER COLUMN seq SET STATISTICS 10,
    ALTER COLUMN due_at SET STATISTICS 10, ALTER COLUMN devices SET STATISTICS 10;
