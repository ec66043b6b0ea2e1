-- Google may have heard of the call with its present parameters: whoever makes it again looks first.
ALTER TABLE android_calls ADD COLUMN asked INTEGER NOT NULL DEFAULT 0;
UPDATE android_calls SET asked = 1 WHERE kind = 0 AND operation IS NULL AND attempts > 0;

-- A comparison under way: since when, and the page of Google's list that comes next; none once all are read.
ALTER TABLE android_enterprises ADD COLUMN compare_since INTEGER;
ALTER TABLE android_enterprises ADD COLUMN compare_page TEXT;

-- When a device was last in Google's list, or was asked for because it was not.
CREATE TABLE android_listed (
    tenant BLOB NOT NULL,
    device BLOB NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (tenant, device)
) STRICT, WITHOUT ROWID;

-- How many ways to enroll a user has made for themselves in a stretch of time.
CREATE TABLE own_links (
    tenant BLOB NOT NULL,
    user_id BLOB NOT NULL,
    stretch INTEGER NOT NULL,
    made INTEGER NOT NULL,
    PRIMARY KEY (tenant, user_id)
) STRICT, WITHOUT ROWID;
