-- The apps that devices reported, by their bundle identifiers: what is installed, and what of it, or to become of it, we
-- manage.
CREATE TABLE apps (
    tenant UUID NOT NULL,
    device UUID NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    installed BOOLEAN NOT NULL,
    name TEXT,
    version TEXT,
    from_store BOOLEAN,
    -- Apple's word for how a managed app is doing; NULL where the device told of none.
    status TEXT,
    PRIMARY KEY (tenant, device, id)
);
