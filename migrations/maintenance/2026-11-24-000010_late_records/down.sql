ALTER TABLE sync_counts DROP COLUMN late;
ALTER TABLE sync_seen DROP COLUMN late_ids;
