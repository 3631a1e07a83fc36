-- The last outcome of a request to a peer, by process: a portal that refuses every request answers, and is not well all
-- the same.
CREATE TABLE peer_outcomes (
    peer      text NOT NULL,
    instance  uuid NOT NULL,
    outcome   text NOT NULL CHECK (outcome IN ('ok', 'transient', 'permanent')),
    failure   text, -- what went wrong, without secrets
    ended_at  timestamptz NOT NULL,
    PRIMARY KEY (peer, instance),
    CONSTRAINT peer_outcomes_failure_of_failures CHECK ((outcome = 'ok') = (failure IS NULL))
);
