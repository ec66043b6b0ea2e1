-- Google may have heard of the call with its present parameters: whoever makes it again looks first.
ALTER TABLE android_calls ADD COLUMN asked BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE android_calls SET asked = TRUE WHERE kind = 0 AND operation IS NULL AND attempts > 0;

-- A comparison under way: since when, and the page of Google's list that comes next; none once all are read.
ALTER TABLE android_enterprises ADD COLUMN compare_since BIGINT;
ALTER TABLE android_enterprises ADD COLUMN compare_page TEXT;

-- When a device was last in Google's list, or was asked for because it was not.
CREATE TABLE android_listed (
    tenant UUID NOT NULL,
    device UUID NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (tenant, device)
);

-- How many ways to enroll a user has made for themselves in a stretch of time.
CREATE TABLE own_links (
    tenant UUID NOT NULL,
    user_id UUID NOT NULL,
    stretch BIGINT NOT NULL,
    made BIGINT NOT NULL,
    PRIMARY KEY (tenant, user_id)
);
