-- Ticks that were missed, among years of others; and the refused request that had the id of an accepted one.
CREATE INDEX schedule_ticks_missed ON schedule_ticks (schedule, due_at) WHERE outcome = 'missed';
CREATE INDEX refused_webhooks_by_webhook ON refused_webhooks (webhook_id) WHERE webhook_id IS NOT NULL;
