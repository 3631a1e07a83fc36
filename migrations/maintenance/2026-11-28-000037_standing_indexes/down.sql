DROP INDEX refused_webhooks_by_webhook;
DROP INDEX schedule_ticks_missed;
