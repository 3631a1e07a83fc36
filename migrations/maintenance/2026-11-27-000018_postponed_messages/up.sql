-- Messages that wait longer than a delay queue should hold them: only the head of such a queue can expire. The relay
-- publishes them when they are due. A message stands here once, however many copies of it there are.
CREATE TABLE postponed_messages (
    queue          text NOT NULL,
    message_id     text NOT NULL,
    kind           text NOT NULL,
    body           bytea NOT NULL,
    correlation_id text,
    trace_context  jsonb NOT NULL DEFAULT '{}',
    attempt        integer NOT NULL CHECK (attempt >= 1), -- the one that comes next
    replay_of      text,
    replay_count   integer NOT NULL DEFAULT 0,
    postponed_at   timestamptz NOT NULL,
    due_at         timestamptz NOT NULL,
    PRIMARY KEY (message_id, queue)
);
CREATE INDEX postponed_messages_due ON postponed_messages (due_at);
