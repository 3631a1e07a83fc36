-- Only `full-sync` was there before.
DELETE FROM schedules WHERE name <> 'full-sync';
UPDATE schedules SET mode = 'full' WHERE mode = 'selective';
ALTER TABLE schedules
    DROP CONSTRAINT schedules_mode_check,
    ADD CONSTRAINT schedules_mode_check CHECK (mode IN ('full', 'incremental')),
    DROP CONSTRAINT schedules_have_a_plain_name,
    DROP CONSTRAINT schedules_have_a_whole_pause,
    DROP COLUMN paused_by,
    DROP COLUMN pause_reason,
    DROP COLUMN paused_until,
    DROP COLUMN paused_since,
    DROP COLUMN overlap,
    DROP COLUMN selection,
    DROP COLUMN version;
