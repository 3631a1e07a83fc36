-- A tick that no scheduler fired is a row of its own kind: `skipped` are those that came while a full sync had not ended.
ALTER TABLE schedule_ticks DROP CONSTRAINT schedule_ticks_outcome_check;
ALTER TABLE schedule_ticks ADD CONSTRAINT schedule_ticks_outcome_check CHECK (outcome IN ('started', 'skipped', 'missed'));
UPDATE schedule_ticks SET outcome = 'missed' WHERE outcome = 'skipped' AND sync_id IS NULL;
