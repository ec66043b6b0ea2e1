-- Open is what is not finished. The indexes say so by the time at which it was, and not by the state: a command that is handed
-- over changes no index. When an open one is to be woken for and when it expires stand in columns of their own, so that no planner
-- takes the index of the queues for these, whatever it believes of the table's size.
ALTER TABLE commands ADD COLUMN gone_wrong SMALLINT GENERATED ALWAYS AS (CASE WHEN state > 3 THEN state END) STORED;
ALTER TABLE commands ADD COLUMN open_wake_at BIGINT GENERATED ALWAYS AS (CASE WHEN finished_at IS NULL THEN wake_at END) STORED;
ALTER TABLE commands ADD COLUMN open_expires_at BIGINT
    GENERATED ALWAYS AS (CASE WHEN finished_at IS NULL THEN expires_at END) STORED;

DROP INDEX open_commands_by_dedupe;
DROP INDEX command_queues;
DROP INDEX commands_to_wake;
DROP INDEX commands_to_expire;
DROP INDEX commands_to_forget;
DROP INDEX commands_gone_wrong;
CREATE UNIQUE INDEX open_commands_by_dedupe ON commands (tenant, device, channel, dedupe)
    WHERE finished_at IS NULL AND dedupe IS NOT NULL;
CREATE INDEX command_queues ON commands (tenant, device, channel, rank, id) WHERE finished_at IS NULL;
CREATE INDEX commands_to_wake ON commands (open_wake_at) WHERE open_wake_at IS NOT NULL;
CREATE INDEX commands_to_expire ON commands (open_expires_at) WHERE open_expires_at IS NOT NULL;
CREATE INDEX commands_to_forget ON commands (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX commands_gone_wrong ON commands (tenant, gone_wrong, id) WHERE gone_wrong IS NOT NULL;

-- An event is in one of the indexes by age: how commands ended is most of all events, and kept for less long.
DROP INDEX audit_by_age;
CREATE INDEX audit_by_age ON audit (at) WHERE kind NOT IN ('command.done', 'command.failed', 'command.expired');

-- Room on each page for the next version of its rows: what changes no index is then written beside the old one, without
-- touching any index.
ALTER TABLE commands SET (fillfactor = 75);
ALTER TABLE channels SET (fillfactor = 75);
ALTER TABLE devices SET (fillfactor = 85);
