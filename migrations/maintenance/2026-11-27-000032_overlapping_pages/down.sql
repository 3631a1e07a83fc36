ALTER TABLE sync_counts DROP COLUMN doubled;
