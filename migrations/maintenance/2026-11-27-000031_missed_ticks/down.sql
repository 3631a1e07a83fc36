UPDATE schedule_ticks SET outcome = 'skipped' WHERE outcome = 'missed';
ALTER TABLE schedule_ticks DROP CONSTRAINT schedule_ticks_outcome_check;
ALTER TABLE schedule_ticks ADD CONSTRAINT schedule_ticks_outcome_check CHECK (outcome IN ('started', 'skipped'));
