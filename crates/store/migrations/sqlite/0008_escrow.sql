-- What became of a secret: confirmed by the device that set or told it, or refused. A secret without either may have
-- reached the device, or not.
ALTER TABLE escrow ADD COLUMN confirmed_at INTEGER;
ALTER TABLE escrow ADD COLUMN refused_at INTEGER;
UPDATE escrow SET confirmed_at = created_at WHERE kind IN ('activation-lock-bypass-code', 'filevault-recovery-key');
UPDATE escrow SET confirmed_at = (SELECT c.finished_at FROM commands c
        WHERE c.tenant = escrow.tenant AND c.device = escrow.device AND c.id = escrow.command AND c.state = 3)
    WHERE confirmed_at IS NULL AND command IS NOT NULL;

-- Whether the result is sealed: it tells secrets.
ALTER TABLE commands ADD COLUMN result_sealed INTEGER NOT NULL DEFAULT 0;

-- Since when the tokens are kept.
ALTER TABLE channels ADD COLUMN unlock_token_at INTEGER;
ALTER TABLE channels ADD COLUMN bootstrap_token_at INTEGER;
