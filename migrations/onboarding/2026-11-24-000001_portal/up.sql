-- The reference onboarding portal: what its people have entered and approved, and the notices it owes to others.

-- A record of any kind is a document, as the provider API serves it, with the columns that lists are ordered and
-- filtered by beside it.
CREATE TABLE records (
    kind          text NOT NULL CHECK (kind IN ('company', 'vessel', 'equipment', 'user')),
    id            text NOT NULL,
    state         text NOT NULL CHECK (state IN ('draft', 'approved', 'withdrawn')),
    -- vessel: its company; equipment: none
    company_id    text,
    -- equipment: its vessel; users: the vessels they are assigned to
    vessel_ids    text[] NOT NULL DEFAULT '{}',
    updated_at    timestamptz NOT NULL,
    withdrawn_at  timestamptz,
    document      jsonb NOT NULL CHECK (jsonb_typeof(document) = 'object'),
    PRIMARY KEY (kind, id),
    CONSTRAINT records_withdrawn_when CHECK ((state = 'withdrawn') = (withdrawn_at IS NOT NULL))
);
-- What others may see, in the order of the provider API's pages.
CREATE INDEX records_listed ON records (kind, updated_at, id) WHERE state <> 'draft';
CREATE INDEX records_of_vessel ON records USING gin (vessel_ids);
CREATE INDEX records_of_company ON records (company_id) WHERE company_id IS NOT NULL;

-- A webhook that is owed. Written in the transaction of the change that it tells of.
CREATE TABLE webhook_messages (
    id               text PRIMARY KEY, -- the webhook-id, the same on every attempt
    event_type       text NOT NULL,
    body             text NOT NULL,
    state            text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'failed')),
    attempts         integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    created_at       timestamptz NOT NULL,
    next_attempt_at  timestamptz,
    ended_at         timestamptz,
    CONSTRAINT webhook_messages_pending_have_a_next CHECK ((state = 'pending') = (next_attempt_at IS NOT NULL)),
    CONSTRAINT webhook_messages_ended_when CHECK ((state <> 'pending') = (ended_at IS NOT NULL))
);
CREATE INDEX webhook_messages_due ON webhook_messages (next_attempt_at) WHERE state = 'pending';
CREATE INDEX webhook_messages_recent ON webhook_messages (created_at DESC, id DESC);

-- Every attempt is kept.
CREATE TABLE webhook_attempts (
    message_id    text NOT NULL REFERENCES webhook_messages ON DELETE CASCADE,
    number        integer NOT NULL CHECK (number >= 1),
    began_at      timestamptz NOT NULL,
    duration_ms   integer NOT NULL CHECK (duration_ms >= 0),
    status        integer,  -- null: no answer
    response      text NOT NULL, -- the beginning of the answer, or why there was none
    PRIMARY KEY (message_id, number)
);
