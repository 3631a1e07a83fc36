-- Retention finds old rows, and the rows that refer to them, by an index. A foreign key without one costs a scan of the
-- whole table for each deleted row. Most of these columns are empty in most rows, so the indexes leave those out.

-- Foreign keys to sync_logs.
CREATE INDEX webhook_events_by_sync ON webhook_events (sync_id) WHERE sync_id IS NOT NULL;
CREATE INDEX dead_letters_by_sync ON dead_letters (sync_id) WHERE sync_id IS NOT NULL;
CREATE INDEX schedule_ticks_by_sync ON schedule_ticks (sync_id) WHERE sync_id IS NOT NULL;
CREATE INDEX sync_logs_by_retried_sync ON sync_logs (retry_of) WHERE retry_of IS NOT NULL;
CREATE INDEX record_findings_by_sync ON record_findings (sync_id) WHERE sync_id IS NOT NULL;

-- Foreign keys to dead_letters.
CREATE INDEX dead_letters_by_origin ON dead_letters (replay_of) WHERE replay_of IS NOT NULL;
CREATE INDEX replay_items_by_dead_letter ON replay_items (dead_letter_id);
CREATE INDEX replay_items_by_next_death ON replay_items (died_as) WHERE died_as IS NOT NULL;

-- Rows that do not go with their sync. Old syncs, webhook events and replay jobs are found by the indexes of their lists.
CREATE INDEX attempts_without_sync ON attempts (began_at) WHERE sync_id IS NULL;
CREATE INDEX conflicts_resolved ON conflicts (resolved_at) WHERE state = 'resolved';
CREATE INDEX dead_letters_succeeded ON dead_letters (succeeded_at) WHERE state = 'succeeded';
