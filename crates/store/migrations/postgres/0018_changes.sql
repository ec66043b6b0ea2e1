-- Whose polls may have another answer than before, and by which transaction: so that a node can remember for whom nothing waits, and
-- ask one thing for all who poll. The database itself notes it, whoever writes.
CREATE TABLE changes (
    made_by XID8 NOT NULL DEFAULT pg_current_xact_id(),
    -- The enrollments' ids, one behind the other.
    enrollments BYTEA NOT NULL
);
-- Random ids cannot be made shorter.
ALTER TABLE changes ALTER COLUMN enrollments SET STORAGE EXTERNAL;
ALTER TABLE changes ALTER COLUMN made_by SET STATISTICS 10, ALTER COLUMN enrollments SET STATISTICS 0;
CREATE INDEX changes_by_transaction ON changes (made_by);

-- One row: what transactions before this one changed is not there any more.
CREATE TABLE changes_kept (since XID8 NOT NULL);
ALTER TABLE changes_kept ALTER COLUMN since SET STATISTICS 10;
INSERT INTO changes_kept VALUES ('0');

CREATE FUNCTION note_queued() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO changes (enrollments)
    SELECT string_agg(uuid_send(enrollment), '') FROM added HAVING count(*) > 0;
    RETURN NULL;
END $$;
CREATE TRIGGER changes_queued AFTER INSERT ON commands REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION note_queued();

CREATE FUNCTION note_reopened() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO changes (enrollments) VALUES (uuid_send(NEW.enrollment));
    RETURN NULL;
END $$;
-- Nothing of ours does it.
CREATE TRIGGER changes_reopened AFTER UPDATE OF finished_at, enrollment, device, channel, tenant ON commands
    FOR EACH ROW WHEN (NEW.finished_at IS NULL AND (OLD.finished_at IS NOT NULL
        OR (NEW.enrollment, NEW.device, NEW.channel, NEW.tenant) <> (OLD.enrollment, OLD.device, OLD.channel, OLD.tenant)))
    EXECUTE FUNCTION note_reopened();

CREATE FUNCTION note_enrollment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO changes (enrollments) VALUES (uuid_send(OLD.id));
    RETURN NULL;
END $$;
CREATE TRIGGER changes_enrolled AFTER UPDATE ON enrollments
    FOR EACH ROW WHEN ((NEW.tenant, NEW.id, NEW.device, NEW.key, NEW.state)
        IS DISTINCT FROM (OLD.tenant, OLD.id, OLD.device, OLD.key, OLD.state))
    EXECUTE FUNCTION note_enrollment();
CREATE TRIGGER changes_removed AFTER DELETE ON enrollments FOR EACH ROW EXECUTE FUNCTION note_enrollment();

CREATE FUNCTION note_certificate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO changes (enrollments) VALUES (uuid_send(OLD.enrollment));
    RETURN NULL;
END $$;
CREATE TRIGGER changes_certified AFTER UPDATE ON certificates
    FOR EACH ROW WHEN ((NEW.fingerprint, NEW.tenant, NEW.enrollment, NEW.state)
        IS DISTINCT FROM (OLD.fingerprint, OLD.tenant, OLD.enrollment, OLD.state))
    EXECUTE FUNCTION note_certificate();
CREATE TRIGGER changes_revoked AFTER DELETE ON certificates FOR EACH ROW EXECUTE FUNCTION note_certificate();
