-- Devices that are to be woken at one time, for a command to many of them: each becomes a push once that time has come.
CREATE TABLE push_lists (
    tenant BLOB NOT NULL,
    seq INTEGER PRIMARY KEY,
    due_at INTEGER NOT NULL,
    -- Their ids, of sixteen bytes each, one behind the other.
    devices BLOB NOT NULL
) STRICT;
CREATE INDEX push_lists_due ON push_lists (due_at);
CREATE INDEX push_lists_of_tenant ON push_lists (tenant, seq);
