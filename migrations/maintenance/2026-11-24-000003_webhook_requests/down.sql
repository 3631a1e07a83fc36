DROP TABLE refused_webhooks;
