-- Replays as jobs whose result is kept per dead letter; and circuits towards a sick provider.

CREATE TABLE replay_jobs (
    id               uuid PRIMARY KEY,
    filter           jsonb NOT NULL CHECK (jsonb_typeof(filter) = 'object'), -- as it was asked for
    requested_by     text NOT NULL,
    reason           text,
    rate_per_second  integer CHECK (rate_per_second >= 1), -- null: as fast as the relay can
    created_at       timestamptz NOT NULL,
    cancelled_at     timestamptz,
    cancelled_by     text,
    CONSTRAINT replay_jobs_cancelled_by_somebody CHECK ((cancelled_at IS NULL) = (cancelled_by IS NULL))
);
CREATE INDEX replay_jobs_recent ON replay_jobs (created_at DESC, id DESC);

CREATE TABLE replay_items (
    job_id          uuid NOT NULL REFERENCES replay_jobs ON DELETE CASCADE,
    dead_letter_id  uuid NOT NULL REFERENCES dead_letters ON DELETE CASCADE,
    -- the letter's state before, for a job that is cancelled
    before          text NOT NULL CHECK (before IN ('dead', 'replayed')),
    state           text NOT NULL CHECK (state IN ('waiting', 'sent', 'succeeded', 'died', 'cancelled')),
    died_as         uuid REFERENCES dead_letters ON DELETE SET NULL,
    ended_at        timestamptz,
    PRIMARY KEY (job_id, dead_letter_id),
    CONSTRAINT replay_items_ended_when CHECK ((state IN ('waiting', 'sent')) = (ended_at IS NULL))
);
CREATE INDEX replay_items_open ON replay_items (dead_letter_id) WHERE state IN ('waiting', 'sent');

ALTER TABLE dead_letters
    -- when a replay that was asked for goes out; null: at once
    ADD COLUMN replay_due_at timestamptz;

-- A worker whose circuit towards a peer is not closed; the row goes when it closes, or when the worker ends.
CREATE TABLE circuits (
    instance     uuid NOT NULL,
    peer         text NOT NULL,
    state        text NOT NULL CHECK (state IN ('open', 'half_open')),
    since        timestamptz NOT NULL,
    failure      text NOT NULL,
    reported_at  timestamptz NOT NULL,
    PRIMARY KEY (instance, peer)
);
