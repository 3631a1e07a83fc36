-- The chain of pages that listed the ids. Each chain announces its own records, so a record that two chains list was not
-- read twice by either.
ALTER TABLE sync_seen ADD COLUMN chain integer NOT NULL DEFAULT 0 CHECK (chain >= 0);
