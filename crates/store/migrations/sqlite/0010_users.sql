-- The short name of the user whose channel it is, as the device told it first.
ALTER TABLE channels ADD COLUMN user_name TEXT;
-- Whether it said, in quarantine, that it waits in Setup Assistant, or at the login of a Shared iPad.
ALTER TABLE channels ADD COLUMN awaiting INTEGER NOT NULL DEFAULT 0;
