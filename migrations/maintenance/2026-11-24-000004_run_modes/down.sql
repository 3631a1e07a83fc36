ALTER TABLE settings DROP COLUMN incremental_overlap_seconds;

ALTER TABLE sync_queue DROP CONSTRAINT sync_queue_one_page;
DELETE FROM sync_queue WHERE chain > 0;
ALTER TABLE sync_queue
    DROP COLUMN chain,
    ADD CONSTRAINT sync_queue_sync_id_record_type_page_key UNIQUE (sync_id, record_type, page);

DROP INDEX sync_logs_one_full_sync;
CREATE UNIQUE INDEX sync_logs_one_full_sync ON sync_logs ((true))
    WHERE mode = 'full' AND state IN ('queued', 'running', 'retrying');

ALTER TABLE sync_logs DROP COLUMN as_of, DROP COLUMN retry_of, DROP COLUMN detail, DROP COLUMN detail_at;
