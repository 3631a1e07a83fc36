ALTER TABLE sync_seen RESET (autovacuum_vacuum_scale_factor);
ALTER TABLE sync_logs RESET (autovacuum_vacuum_scale_factor);
ALTER TABLE sync_counts RESET (autovacuum_vacuum_scale_factor);
ALTER TABLE webhook_events RESET (autovacuum_vacuum_scale_factor, autovacuum_analyze_scale_factor);
ALTER TABLE sync_queue RESET (autovacuum_vacuum_scale_factor, autovacuum_analyze_scale_factor);
