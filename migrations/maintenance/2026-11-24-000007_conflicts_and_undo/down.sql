DROP TABLE undo_items, undos, overwritten;
ALTER TABLE maintenance_schedules DROP COLUMN synced_by;
ALTER TABLE critical_parts DROP COLUMN synced_by;
ALTER TABLE users DROP COLUMN synced_by;
ALTER TABLE equipment DROP COLUMN synced_by;
ALTER TABLE vessels DROP COLUMN synced_by;
ALTER TABLE companies DROP COLUMN synced_by;
DROP TABLE conflict_policies;
DROP INDEX conflicts_open, conflicts_recent;
DELETE FROM conflicts WHERE sync_id IS NULL;
ALTER TABLE conflicts
    DROP COLUMN resolved_fields, DROP COLUMN resolution, DROP COLUMN source_hash, DROP COLUMN local_writer,
    DROP COLUMN policy, DROP COLUMN label,
    DROP CONSTRAINT conflicts_sync_id_fkey,
    ADD CONSTRAINT conflicts_sync_id_fkey FOREIGN KEY (sync_id) REFERENCES sync_logs ON DELETE CASCADE,
    ALTER COLUMN sync_id SET NOT NULL;
