-- Modes, scopes and control of runs.

ALTER TABLE sync_logs
    -- the provider's own time when it listed the first pages: where the next incremental sync begins
    ADD COLUMN as_of timestamptz,
    -- the run whose failures this one tries again
    ADD COLUMN retry_of uuid REFERENCES sync_logs ON DELETE SET NULL,
    -- what a run that does not move waits for; of no meaning once its heartbeat is newer
    ADD COLUMN detail text,
    ADD COLUMN detail_at timestamptz;

-- At most one full sync at a time. One that writes nothing is in nobody's way.
DROP INDEX sync_logs_one_full_sync;
CREATE UNIQUE INDEX sync_logs_one_full_sync ON sync_logs ((true))
    WHERE mode = 'full' AND NOT dry_run AND state IN ('queued', 'running', 'retrying');

-- A list is fetched in one chain of pages, or in several: by vessel, or by hundreds of ids.
ALTER TABLE sync_queue
    ADD COLUMN chain integer NOT NULL DEFAULT 0 CHECK (chain >= 0),
    DROP CONSTRAINT sync_queue_sync_id_record_type_page_key,
    ADD CONSTRAINT sync_queue_one_page UNIQUE (sync_id, record_type, chain, page);

ALTER TABLE settings
    -- how far before the last complete sync an incremental one begins: what was being written then is seen
    ADD COLUMN incremental_overlap_seconds integer NOT NULL DEFAULT 600
        CHECK (incremental_overlap_seconds BETWEEN 0 AND 604800);
