ALTER TABLE settings DROP COLUMN deactivation_limit_percent, DROP COLUMN missing_records;
ALTER TABLE sync_logs DROP COLUMN missing_records;
ALTER TABLE sync_counts DROP COLUMN deactivated, DROP COLUMN missing;
DROP TABLE sync_missing, sync_seen, sync_changes;
