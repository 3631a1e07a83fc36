ALTER TABLE webhook_events DROP COLUMN record_updated_at;
