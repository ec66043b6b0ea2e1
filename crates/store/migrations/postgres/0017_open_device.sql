-- PostgreSQL weighs an index by its pages. That of the queues keeps those of its longest day: with few commands open, each of them seemed
-- dearer to reach there than by reading all that its device was ever asked, in the order of the primary key, and every poll did so.
-- Now open commands have a device that no other index knows. (As few rows are looked at for its statistics as for a column's.)
DROP INDEX command_queues;
CREATE INDEX command_queues ON commands (tenant, (CASE WHEN finished_at IS NULL THEN device END), channel, rank, id)
    WHERE finished_at IS NULL;
ALTER INDEX command_queues ALTER COLUMN 2 SET STATISTICS 10;
