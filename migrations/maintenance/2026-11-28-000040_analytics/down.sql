DROP INDEX sync_logs_by_end;
DROP INDEX webhook_events_by_processing;
DROP INDEX attempts_by_time;
DROP INDEX findings_by_time;
DROP TABLE analytics_progress;
DROP TABLE analytics;
