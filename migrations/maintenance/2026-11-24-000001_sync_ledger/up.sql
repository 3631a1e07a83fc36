-- The ledger of the sync: what ran, what is to be done, what arrived, what failed.
-- PostgreSQL is the ledger, RabbitMQ the dispatch: a row whose published_at is null
-- is committed but not yet confirmed by the broker, and the outbox relay publishes it.

-- One run. Its id is the syncId of the API.
CREATE TABLE sync_logs (
    id              uuid PRIMARY KEY,
    cause           text NOT NULL CHECK (cause IN ('manual', 'scheduled', 'webhook', 'replay')),
    mode            text NOT NULL CHECK (mode IN ('full', 'incremental', 'selective')),
    scope           jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(scope) = 'object'),
    dry_run         boolean NOT NULL DEFAULT false,
    state           text NOT NULL CHECK (state IN
                        ('queued', 'running', 'retrying', 'completed', 'completed_with_errors', 'failed', 'cancelled')),
    -- the phase that is open: 0 before the first, then 1 (companies and vessels), 2 (equipment and users)
    phase           smallint NOT NULL DEFAULT 0,
    requested_by    text NOT NULL,
    reason          text,
    trace_context   jsonb NOT NULL DEFAULT '{}',
    started_at      timestamptz NOT NULL,
    running_at      timestamptz,
    heartbeat_at    timestamptz NOT NULL,
    completed_at    timestamptz,
    cancelled_by    text,
    failure         text,
    -- the command that starts the run; null time: not yet confirmed by the broker
    published_at    timestamptz,
    CONSTRAINT sync_logs_ended_runs_have_an_end CHECK
        ((state IN ('completed', 'completed_with_errors', 'failed', 'cancelled')) = (completed_at IS NOT NULL)),
    CONSTRAINT sync_logs_begun_runs_have_a_begin CHECK (state IN ('queued', 'cancelled', 'failed') OR running_at IS NOT NULL),
    CONSTRAINT sync_logs_failures_say_why CHECK (state <> 'failed' OR failure IS NOT NULL),
    CONSTRAINT sync_logs_cancellations_have_an_author CHECK (state <> 'cancelled' OR cancelled_by IS NOT NULL)
);
-- At most one full sync at a time.
CREATE UNIQUE INDEX sync_logs_one_full_sync ON sync_logs ((true))
    WHERE mode = 'full' AND state IN ('queued', 'running', 'retrying');
CREATE INDEX sync_logs_history ON sync_logs (started_at DESC, id DESC);
CREATE INDEX sync_logs_unpublished ON sync_logs (started_at) WHERE published_at IS NULL AND state = 'queued';

-- The account of a run, per record type: read is the sum of the outcomes, always.
CREATE TABLE sync_counts (
    sync_id       uuid NOT NULL REFERENCES sync_logs ON DELETE CASCADE,
    record_type   text NOT NULL CHECK (record_type IN ('company', 'vessel', 'equipment', 'user')),
    expected      bigint CHECK (expected >= 0), -- by the provider; null until it has said
    read          bigint NOT NULL DEFAULT 0,
    created       bigint NOT NULL DEFAULT 0 CHECK (created >= 0),
    updated       bigint NOT NULL DEFAULT 0 CHECK (updated >= 0),
    unchanged     bigint NOT NULL DEFAULT 0 CHECK (unchanged >= 0),
    conflict      bigint NOT NULL DEFAULT 0 CHECK (conflict >= 0),
    rejected      bigint NOT NULL DEFAULT 0 CHECK (rejected >= 0),
    skipped       bigint NOT NULL DEFAULT 0 CHECK (skipped >= 0),
    PRIMARY KEY (sync_id, record_type),
    CONSTRAINT sync_counts_read_is_the_sum_of_outcomes
        CHECK (read = created + updated + unchanged + conflict + rejected + skipped)
);

-- Companies arrive embedded in vessels, on many pages: the first sight in a run is the one that counts.
CREATE TABLE sync_companies_seen (
    sync_id    uuid NOT NULL REFERENCES sync_logs ON DELETE CASCADE,
    source_id  text NOT NULL,
    PRIMARY KEY (sync_id, source_id)
);

-- One task: a page of records or some entities. Its id is the AMQP message id.
CREATE TABLE sync_queue (
    id            uuid PRIMARY KEY,
    sync_id       uuid NOT NULL REFERENCES sync_logs ON DELETE CASCADE,
    record_type   text NOT NULL CHECK (record_type IN ('company', 'vessel', 'equipment', 'user')),
    -- the place in its chain; a page handed on twice is one row
    page          integer NOT NULL CHECK (page >= 0),
    message       jsonb NOT NULL, -- the SyncTask as ProtoJSON
    trace_context jsonb NOT NULL DEFAULT '{}',
    state         text NOT NULL CHECK (state IN ('pending', 'retrying', 'done', 'dead', 'cancelled')),
    attempts      integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    last_failure  text,
    -- the next page was handed on (or there is none)
    handed_on     boolean NOT NULL DEFAULT false,
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL,
    completed_at  timestamptz,
    published_at  timestamptz,
    UNIQUE (sync_id, record_type, page),
    CONSTRAINT sync_queue_ended_tasks_have_an_end CHECK ((state IN ('done', 'dead', 'cancelled')) = (completed_at IS NOT NULL))
);
CREATE INDEX sync_queue_unpublished ON sync_queue (created_at) WHERE published_at IS NULL AND state IN ('pending', 'retrying');
CREATE INDEX sync_queue_open ON sync_queue (sync_id, record_type) WHERE state IN ('pending', 'retrying');

-- Attempts at a message are appended, never overwritten.
CREATE TABLE attempts (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    message_id    text NOT NULL,  -- sync_queue.id, sync_logs.id or webhook_events.id
    sync_id       uuid REFERENCES sync_logs ON DELETE CASCADE,
    number        integer NOT NULL CHECK (number >= 1),
    class         text NOT NULL CHECK (class IN ('transient', 'permanent', 'poison')),
    failure       text NOT NULL,
    began_at      timestamptz NOT NULL,
    duration_ms   integer NOT NULL CHECK (duration_ms >= 0),
    next_attempt_at timestamptz  -- null: it went to the dead letters
);
CREATE INDEX attempts_by_message ON attempts (message_id, number);
CREATE INDEX attempts_by_sync ON attempts (sync_id, id DESC) WHERE sync_id IS NOT NULL;

-- What a record of a run was rejected for, or let in with a warning.
CREATE TABLE findings (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sync_id       uuid NOT NULL REFERENCES sync_logs ON DELETE CASCADE,
    record_type   text NOT NULL CHECK (record_type IN ('company', 'vessel', 'equipment', 'user')),
    source_id     text NOT NULL,
    label         text, -- what a person calls the record: name and IMO number, code and name
    severity      text NOT NULL CHECK (severity IN ('error', 'warning')),
    code          text NOT NULL,
    pointer       text NOT NULL, -- RFC 6901
    message       text NOT NULL,
    value         text,          -- the offending value, persons' data masked
    found_at      timestamptz NOT NULL
);
CREATE INDEX findings_by_sync ON findings (sync_id, id);

-- A value that lost against a newer write is kept with both sides.
CREATE TABLE conflicts (
    id            uuid PRIMARY KEY,
    sync_id       uuid NOT NULL REFERENCES sync_logs ON DELETE CASCADE,
    record_type   text NOT NULL CHECK (record_type IN ('company', 'vessel', 'equipment', 'user')),
    source_id     text NOT NULL,
    kind          text NOT NULL CHECK (kind IN
                    ('local_newer', 'source_newer', 'criticality_downgrade', 'natural_key')),
    local_value   jsonb NOT NULL,
    source_value  jsonb NOT NULL,
    local_at      timestamptz NOT NULL,
    source_at     timestamptz NOT NULL,
    winner        text NOT NULL CHECK (winner IN ('local', 'source')),
    state         text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'resolved')),
    opened_at     timestamptz NOT NULL,
    resolved_at   timestamptz,
    resolved_by   text,
    CONSTRAINT conflicts_resolution CHECK ((state = 'resolved') = (resolved_at IS NOT NULL AND resolved_by IS NOT NULL))
);
CREATE INDEX conflicts_by_sync ON conflicts (sync_id, id);
CREATE UNIQUE INDEX conflicts_same_versions_once ON conflicts (record_type, source_id, kind, local_at, source_at);

-- One signed approval notice. Deduplicated on the sender's webhook id.
CREATE TABLE webhook_events (
    id              uuid PRIMARY KEY,
    webhook_id      text NOT NULL UNIQUE,
    event_type      text NOT NULL,
    record_type     text CHECK (record_type IN ('company', 'vessel', 'equipment', 'user')), -- null: ignored
    source_id       text,
    occurred_at     timestamptz,
    body            bytea NOT NULL, -- as it was signed
    key_name        text NOT NULL,  -- the secret that matched
    state           text NOT NULL CHECK (state IN ('received', 'published', 'processed', 'failed', 'ignored')),
    duplicates      integer NOT NULL DEFAULT 0 CHECK (duplicates >= 0),
    trace_context   jsonb NOT NULL DEFAULT '{}',
    sync_id         uuid REFERENCES sync_logs ON DELETE SET NULL,
    last_failure    text,
    received_at     timestamptz NOT NULL,
    published_at    timestamptz,
    processed_at    timestamptz,
    CONSTRAINT webhook_events_name_their_entity CHECK (state = 'ignored' OR (record_type IS NOT NULL AND source_id IS NOT NULL)),
    CONSTRAINT webhook_events_published_when CHECK (state NOT IN ('published') OR published_at IS NOT NULL),
    CONSTRAINT webhook_events_processed_when CHECK ((state = 'processed') = (processed_at IS NOT NULL))
);
CREATE INDEX webhook_events_unpublished ON webhook_events (received_at, id) WHERE state = 'received';
-- found again when a broker has lost them
CREATE INDEX webhook_events_unprocessed ON webhook_events (published_at) WHERE state = 'published';
CREATE INDEX webhook_events_recent ON webhook_events (received_at DESC, id DESC);

-- A message that used up its retries or can never succeed.
CREATE TABLE dead_letters (
    id              uuid PRIMARY KEY,
    message_id      text NOT NULL,
    queue           text NOT NULL,  -- where it died, and where a replay goes
    kind            text NOT NULL,  -- type of the AMQP properties; 'unknown' if it had none
    body            bytea NOT NULL,
    headers         jsonb NOT NULL DEFAULT '{}',
    class           text NOT NULL CHECK (class IN ('transient', 'permanent', 'poison')),
    reason          text NOT NULL,
    fingerprint     text NOT NULL,
    attempts        integer NOT NULL CHECK (attempts >= 0),
    sync_id         uuid REFERENCES sync_logs ON DELETE SET NULL,
    trace_id        text,
    died_at         timestamptz NOT NULL,
    archived_at     timestamptz NOT NULL,
    state           text NOT NULL DEFAULT 'dead' CHECK (state IN ('dead', 'replaying', 'replayed', 'succeeded')),
    replays         integer NOT NULL DEFAULT 0 CHECK (replays >= 0),
    replay_of       uuid REFERENCES dead_letters ON DELETE SET NULL,
    replayed_by     text,
    replayed_at     timestamptz,
    published_at    timestamptz, -- of the last replay; null while state is 'replaying'
    succeeded_at    timestamptz,
    CONSTRAINT dead_letters_replayed_when CHECK (state = 'dead' OR (replayed_at IS NOT NULL AND replayed_by IS NOT NULL)),
    CONSTRAINT dead_letters_succeeded_when CHECK ((state = 'succeeded') = (succeeded_at IS NOT NULL))
);
CREATE INDEX dead_letters_recent ON dead_letters (archived_at DESC, id DESC);
CREATE INDEX dead_letters_waiting ON dead_letters (fingerprint) WHERE state = 'dead';
CREATE INDEX dead_letters_unpublished ON dead_letters (replayed_at) WHERE state = 'replaying';
-- The archiver may see a dead message twice: the same death is one row.
CREATE UNIQUE INDEX dead_letters_one_death ON dead_letters (message_id, queue, died_at);

-- One row of settings; the version is the ETag.
CREATE TABLE settings (
    id                     boolean PRIMARY KEY DEFAULT true CHECK (id),
    version                bigint NOT NULL DEFAULT 1,
    page_size              integer NOT NULL DEFAULT 500 CHECK (page_size BETWEEN 1 AND 1000),
    retry_delays_ms        integer[] NOT NULL DEFAULT '{10000,30000,90000}'
                             CHECK (cardinality(retry_delays_ms) = 3 AND 0 < ALL (retry_delays_ms)),
    updated_at             timestamptz NOT NULL DEFAULT now(),
    updated_by             text NOT NULL DEFAULT 'migration'
);
INSERT INTO settings DEFAULT VALUES;

CREATE TABLE schedules (
    name         text PRIMARY KEY,
    enabled      boolean NOT NULL,
    cron         text NOT NULL,
    time_zone    text NOT NULL DEFAULT 'UTC',
    mode         text NOT NULL DEFAULT 'full' CHECK (mode IN ('full', 'incremental')),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    updated_by   text NOT NULL DEFAULT 'migration'
);
INSERT INTO schedules (name, enabled, cron) VALUES ('full-sync', false, '0 2 * * *');

-- One row per tick: the key makes a tick fire once, however many schedulers run.
CREATE TABLE schedule_ticks (
    schedule   text NOT NULL REFERENCES schedules ON DELETE CASCADE,
    due_at     timestamptz NOT NULL,
    outcome    text NOT NULL CHECK (outcome IN ('started', 'skipped')),
    detail     text,
    sync_id    uuid REFERENCES sync_logs ON DELETE SET NULL,
    fired_at   timestamptz NOT NULL,
    PRIMARY KEY (schedule, due_at)
);

-- Every change by an operator. Append-only: neither updated nor deleted.
CREATE TABLE audit (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at          timestamptz NOT NULL,
    actor       text NOT NULL,
    action      text NOT NULL,
    subject     text NOT NULL,
    detail      jsonb NOT NULL DEFAULT '{}'
);
CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'audit is append-only'; END $$;
CREATE TRIGGER audit_is_append_only BEFORE UPDATE OR DELETE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
