-- By which revision of the facts a command was judged when it was queued, and why the device would refuse it.
ALTER TABLE commands ADD COLUMN facts_revision TEXT;
ALTER TABLE commands ADD COLUMN faults TEXT;
