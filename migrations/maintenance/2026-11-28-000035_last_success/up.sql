-- When a full and an incremental sync last succeeded, among any number of syncs of webhooks.
CREATE INDEX sync_logs_by_success ON sync_logs (mode, completed_at)
    WHERE state = 'completed' AND NOT dry_run AND mode <> 'selective';
