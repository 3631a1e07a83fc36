-- Schedules that operators add, change, pause and delete.
ALTER TABLE schedules
    ADD COLUMN version      bigint NOT NULL DEFAULT 1,
    -- Which records its selective syncs look at.
    ADD COLUMN selection    jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN overlap      text NOT NULL DEFAULT 'skip' CHECK (overlap IN ('skip', 'allow')),
    -- The last pause, also when it has ended.
    ADD COLUMN paused_since timestamptz,
    ADD COLUMN paused_until timestamptz,
    ADD COLUMN pause_reason text,
    ADD COLUMN paused_by    text,
    ADD CONSTRAINT schedules_have_a_whole_pause CHECK (num_nulls(paused_since, pause_reason, paused_by) IN (0, 3)),
    ADD CONSTRAINT schedules_have_a_plain_name CHECK (name ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    DROP CONSTRAINT schedules_mode_check,
    ADD CONSTRAINT schedules_mode_check CHECK (mode IN ('full', 'incremental', 'selective'));
