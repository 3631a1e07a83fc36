ALTER TABLE record_findings DROP COLUMN fetched_at, DROP COLUMN stated_at;
