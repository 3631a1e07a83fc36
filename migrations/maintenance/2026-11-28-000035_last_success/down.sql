DROP INDEX sync_logs_by_success;
