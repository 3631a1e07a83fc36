ALTER TABLE webhook_messages DROP COLUMN trace_context;
