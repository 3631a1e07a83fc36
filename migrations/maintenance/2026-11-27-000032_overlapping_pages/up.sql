-- Of the records that were read again, those that had not changed since the provider's first look at the list: its pages overlap, and
-- what they lack instead is not known.
ALTER TABLE sync_counts ADD COLUMN doubled bigint NOT NULL DEFAULT 0 CHECK (doubled >= 0);
