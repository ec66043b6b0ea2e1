-- When a command may leave and until when, before which others, and when its device is woken again for it.
-- A lower rank goes first; of one rank, the older.
ALTER TABLE commands ADD COLUMN rank INTEGER NOT NULL DEFAULT 0;
ALTER TABLE commands ADD COLUMN not_before INTEGER NOT NULL DEFAULT 0;
ALTER TABLE commands ADD COLUMN expires_at INTEGER;
-- In which conversation it was last handed over; later ones have greater numbers.
ALTER TABLE commands ADD COLUMN conversation INTEGER NOT NULL DEFAULT 0;
-- How often the device said NotNow.
ALTER TABLE commands ADD COLUMN put_off INTEGER NOT NULL DEFAULT 0;
ALTER TABLE commands ADD COLUMN wake_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE commands ADD COLUMN wakes INTEGER NOT NULL DEFAULT 0;

-- Polls read this one alone, which holds no history.
DROP INDEX open_commands;
CREATE INDEX command_queues ON commands (tenant, device, channel, rank, id) WHERE state < 3;
CREATE INDEX commands_to_wake ON commands (wake_at) WHERE state < 3;
CREATE INDEX commands_to_expire ON commands (expires_at) WHERE state < 3 AND expires_at IS NOT NULL;
CREATE INDEX commands_to_forget ON commands (finished_at) WHERE state >= 3;
CREATE INDEX commands_by_id ON commands (tenant, id);
CREATE INDEX commands_gone_wrong ON commands (tenant, state, id) WHERE state > 3;
