-- Plans are made from the statements' text and their indexes, and what the server knows of the values decides next to nothing. Looking
-- at a table of many commands took it most of a second, again and again while much is written; with a tenth of the rows it takes a
-- tenth. How many rows it looks at follows from the column that wants the most.
DO $$
DECLARE
    wanted RECORD;
BEGIN
    FOR wanted IN
        SELECT c.relname, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
            AND c.relname <> '_sqlx_migrations'
    LOOP
        EXECUTE format('ALTER TABLE %I ALTER COLUMN %I SET STATISTICS 10', wanted.relname, wanted.attname);
    END LOOP;
END $$;
