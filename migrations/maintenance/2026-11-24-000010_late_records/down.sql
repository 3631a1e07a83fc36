ALTER TABLE sync_counts DROP COLUMN late, DROP COLUMN again;
ALTER TABLE sync_seen DROP COLUMN late_ids;
