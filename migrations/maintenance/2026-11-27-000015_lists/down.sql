ALTER TABLE sync_seen DROP COLUMN chain;
