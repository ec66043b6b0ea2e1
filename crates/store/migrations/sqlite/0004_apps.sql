-- The apps that devices reported, by their bundle identifiers: what is installed, and what of it, or to become of it, we
-- manage.
CREATE TABLE apps (
    tenant BLOB NOT NULL,
    device BLOB NOT NULL,
    id TEXT NOT NULL,
    installed INTEGER NOT NULL,
    name TEXT,
    version TEXT,
    from_store INTEGER,
    -- Apple's word for how a managed app is doing; NULL where the device told of none.
    status TEXT,
    PRIMARY KEY (tenant, device, id)
) STRICT, WITHOUT ROWID;
