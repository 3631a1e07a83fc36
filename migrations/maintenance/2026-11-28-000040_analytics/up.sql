-- What happened in each hour and each day, counted while its rows are there, and kept when retention has removed them.
CREATE TABLE analytics (
    width       text NOT NULL CHECK (width IN ('hour', 'day')),
    -- In UTC.
    starts_at   timestamptz NOT NULL,
    measure     text NOT NULL CHECK (measure IN ('syncs', 'sync_seconds', 'records', 'lag_seconds', 'findings', 'attempts')),
    -- Empty where the measure has none.
    record_type text NOT NULL DEFAULT '',
    -- The vessel's id in the onboarding portal; empty in the rows that count all.
    vessel_id   text NOT NULL DEFAULT '',
    -- Of syncs: mode/cause/state; of sync_seconds: the mode; of records: the outcome; of findings: the code; of attempts: the
    -- class. Else empty.
    key         text NOT NULL DEFAULT '',
    -- Of seconds: bucket n holds from 10 ms · 2^((n - 1) / 8) up to the next bound, bucket 0 what is below 10 ms.
    bucket      smallint NOT NULL DEFAULT 0,
    count       bigint NOT NULL CHECK (count > 0),
    PRIMARY KEY (width, vessel_id, measure, starts_at, record_type, key, bucket)
);
-- Retention, by age.
CREATE INDEX analytics_by_age ON analytics (starts_at);

-- Until when everything is counted; one row.
CREATE TABLE analytics_progress (
    only_row      boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    counted_until timestamptz NOT NULL
);

-- The source rows of an hour are found by when they were written: blocks of the table, which cost no insert.
CREATE INDEX findings_by_time ON findings USING brin (found_at) WITH (pages_per_range = 32);
CREATE INDEX attempts_by_time ON attempts USING brin (began_at) WITH (pages_per_range = 32);
CREATE INDEX webhook_events_by_processing ON webhook_events USING brin (processed_at) WITH (pages_per_range = 32);
CREATE INDEX sync_logs_by_end ON sync_logs (completed_at) WHERE completed_at IS NOT NULL;

SELECT grant_to_service('sms_scheduler', 'SELECT, INSERT, UPDATE, DELETE', 'analytics');
SELECT grant_to_service('sms_scheduler', 'SELECT, INSERT, UPDATE', 'analytics_progress');
SELECT grant_to_service('sms_status', 'SELECT', 'analytics');
SELECT grant_to_service('sms_status', 'SELECT', 'analytics_progress');
