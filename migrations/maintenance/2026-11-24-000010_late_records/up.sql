-- Records that change while a run pages through them: they come at the end of the list, again or for the first time.

-- every mode notes what it has seen, so that what came again can be told from what came first
ALTER TABLE sync_seen
    -- of source_ids, those that had changed since the provider said how many there are
    ADD COLUMN late_ids text[] NOT NULL DEFAULT '{}';

ALTER TABLE sync_counts
    ADD COLUMN late bigint NOT NULL DEFAULT 0 CHECK (late BETWEEN 0 AND read), -- of what was read, what had changed since
    ADD COLUMN again bigint NOT NULL DEFAULT 0 CHECK (again BETWEEN 0 AND late); -- of these, what was read before, too
