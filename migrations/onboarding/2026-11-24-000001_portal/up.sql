-- The reference onboarding portal: what its people have entered and approved, and the notices it owes to others.

-- The newest version that any record has. Every change takes the next one by updating this row, and so waits for the
-- change before it to commit: versions become visible in their order, and a reader who has seen one misses none below.
CREATE TABLE versions (
    only_row  boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    latest    timestamptz NOT NULL
);
INSERT INTO versions (latest) VALUES ('epoch');

-- A record of any kind is a document, as the provider API serves it but for its version, with the columns that lists
-- are ordered and filtered by beside it. It is json and not jsonb: it is handed out as the text it is.
CREATE TABLE records (
    kind          text NOT NULL CHECK (kind IN ('company', 'vessel', 'equipment', 'user')),
    id            text NOT NULL,
    state         text NOT NULL CHECK (state IN ('draft', 'approved', 'withdrawn')),
    company_id    text, -- vessel: its company; user: the employer
    vessel_ids    text[] NOT NULL DEFAULT '{}', -- equipment: its vessel; user: the vessels they are assigned to
    updated_at    timestamptz NOT NULL,
    withdrawn_at  timestamptz,
    document      json NOT NULL CHECK (json_typeof(document) = 'object'),
    PRIMARY KEY (kind, id),
    CONSTRAINT records_withdrawn_when CHECK ((state = 'withdrawn') = (withdrawn_at IS NOT NULL))
) WITH (toast_tuple_target = 8160); -- a document with its parts and schedules stays in the row, uncompressed
-- What others may see, in the order of the provider API's pages.
CREATE INDEX records_listed ON records (kind, updated_at, id) WHERE state <> 'draft';
CREATE INDEX records_drafts ON records (kind, id) WHERE state = 'draft';
CREATE INDEX records_of_vessel ON records USING gin (vessel_ids);
CREATE INDEX records_of_company ON records (company_id) WHERE company_id IS NOT NULL;

-- The fleets that were seeded, each in one transaction with its records.
CREATE TABLE fleets (
    name       text PRIMARY KEY,
    seeded_at  timestamptz NOT NULL
);

-- How the one endpoint that webhooks go to is doing. Its address is a setting.
CREATE TABLE webhook_endpoint (
    only_row              boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    state                 text NOT NULL DEFAULT 'enabled' CHECK (state IN ('enabled', 'disabled')),
    reason                text, -- why it is disabled
    disabled_at           timestamptz,
    paused_until          timestamptz, -- it asked for a pause with Retry-After
    failing_since         timestamptz, -- the first failure after the last success
    consecutive_failures  integer NOT NULL DEFAULT 0 CHECK (consecutive_failures >= 0),
    last_success_at       timestamptz,
    last_failure          text,
    CONSTRAINT webhook_endpoint_disabled_why CHECK ((state = 'disabled') = (reason IS NOT NULL AND disabled_at IS NOT NULL)),
    CONSTRAINT webhook_endpoint_failing_since CHECK ((consecutive_failures > 0) = (failing_since IS NOT NULL))
);
INSERT INTO webhook_endpoint DEFAULT VALUES;

-- What webhooks are signed with. One is current; those before it sign too, until they expire.
CREATE TABLE webhook_secrets (
    id          text PRIMARY KEY,
    secret      text NOT NULL UNIQUE,
    created_at  timestamptz NOT NULL,
    expires_at  timestamptz -- null: the current one
);
CREATE UNIQUE INDEX webhook_secrets_one_current ON webhook_secrets ((true)) WHERE expires_at IS NULL;

-- A webhook that is owed. Written in the transaction of the change that it tells of.
CREATE TABLE webhook_messages (
    number           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- their order
    id               text NOT NULL UNIQUE, -- the webhook-id, the same on every attempt
    event_type       text NOT NULL,
    record_kind      text,
    record_id        text, -- null: about no record (test.ping)
    body             text NOT NULL,
    state            text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'failed')),
    attempts         integer NOT NULL DEFAULT 0 CHECK (attempts >= 0), -- begun
    retries          integer NOT NULL DEFAULT 0 CHECK (retries >= 0), -- of the schedule, used up
    created_at       timestamptz NOT NULL,
    next_attempt_at  timestamptz,
    claimed_until    timestamptz, -- an attempt is under way; later than this, its sender died
    ended_at         timestamptz,
    CONSTRAINT webhook_messages_pending_have_a_next CHECK ((state = 'pending') = (next_attempt_at IS NOT NULL)),
    CONSTRAINT webhook_messages_ended_when CHECK ((state <> 'pending') = (ended_at IS NOT NULL)),
    CONSTRAINT webhook_messages_only_pending_are_claimed CHECK (claimed_until IS NULL OR state = 'pending'),
    CONSTRAINT webhook_messages_about CHECK ((record_kind IS NULL) = (record_id IS NULL))
);
CREATE INDEX webhook_messages_due ON webhook_messages (next_attempt_at, number) WHERE state = 'pending';
CREATE INDEX webhook_messages_pending_of_record ON webhook_messages (record_id, record_kind, number) WHERE state = 'pending';
CREATE INDEX webhook_messages_of_record ON webhook_messages (record_id, number);
CREATE INDEX webhook_messages_ended ON webhook_messages (ended_at) WHERE state <> 'pending';

-- Every attempt that came to an end is kept with its message. A number that is missing was cut off.
CREATE TABLE webhook_attempts (
    message_number  bigint NOT NULL REFERENCES webhook_messages ON DELETE CASCADE,
    number          integer NOT NULL CHECK (number >= 1),
    began_at        timestamptz NOT NULL,
    duration_ms     integer NOT NULL CHECK (duration_ms >= 0),
    status          integer,  -- null: no answer
    response        text NOT NULL, -- the beginning of the answer, or why there was none
    PRIMARY KEY (message_number, number)
);
