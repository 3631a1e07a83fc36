-- Trace of the request that has queued the webhook: its delivery belongs to it.
ALTER TABLE webhook_messages ADD COLUMN trace_context jsonb NOT NULL DEFAULT '{}';
