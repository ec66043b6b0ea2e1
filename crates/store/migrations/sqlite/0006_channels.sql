-- What a device leaves with us, sealed; with the device channel of the enrollment.
ALTER TABLE channels ADD COLUMN bootstrap_token BLOB;
-- The token of the declarations that the channel was last told of, and since when that is the token.
ALTER TABLE channels ADD COLUMN declared TEXT;
ALTER TABLE channels ADD COLUMN declared_at INTEGER;
-- Which of them it does not carry out: JSON.
ALTER TABLE channels ADD COLUMN declarations_refused TEXT;
