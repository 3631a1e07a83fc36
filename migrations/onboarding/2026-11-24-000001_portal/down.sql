DROP TABLE webhook_attempts, webhook_messages, webhook_secrets, webhook_endpoint, fleets, records, versions;
