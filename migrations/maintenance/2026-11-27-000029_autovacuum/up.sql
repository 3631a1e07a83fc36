-- Tables whose rows change again and again, or come and go: the default waits until a fifth of them is dead.
ALTER TABLE sync_queue SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
ALTER TABLE webhook_events SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
ALTER TABLE sync_counts SET (autovacuum_vacuum_scale_factor = 0.02);
ALTER TABLE sync_logs SET (autovacuum_vacuum_scale_factor = 0.02);
ALTER TABLE sync_seen SET (autovacuum_vacuum_scale_factor = 0.02);
