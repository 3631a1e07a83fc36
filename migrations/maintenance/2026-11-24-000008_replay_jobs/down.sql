DROP TABLE circuits;
ALTER TABLE dead_letters DROP COLUMN replay_due_at;
DROP TABLE replay_items, replay_jobs;
