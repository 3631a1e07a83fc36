DROP TABLE webhook_attempts, webhook_messages, records;
