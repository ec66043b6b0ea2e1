-- When an enrollment that ended, or never got far, is looked at to be forgotten.
ALTER TABLE enrollments ADD COLUMN forget_at INTEGER;
CREATE INDEX enrollments_to_note ON enrollments (created_at) WHERE forget_at IS NULL AND (state < 2 OR state = 4);
CREATE INDEX enrollments_to_forget ON enrollments (forget_at) WHERE forget_at IS NOT NULL;

CREATE INDEX audit_by_age ON audit (at);
-- What became of commands: most of all events, and kept no longer than the commands.
CREATE INDEX audit_of_commands ON audit (at) WHERE kind IN ('command.done', 'command.failed', 'command.expired');
CREATE INDEX purges_to_forget ON purges (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX enrollment_links_by_end ON enrollment_links (expires_at);
CREATE INDEX certificates_to_forget ON certificates (not_after) WHERE state >= 2;
