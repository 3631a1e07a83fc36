DROP TABLE audit, schedule_ticks, schedules, settings, dead_letters, webhook_events, conflicts, findings, attempts,
    sync_queue, sync_companies_seen, sync_counts, sync_logs;
DROP FUNCTION audit_is_append_only();
