-- Requests that operators may send twice: what the first one was answered.
CREATE TABLE idempotency_keys (
    actor        text NOT NULL,
    key          text NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    -- Of method, path and body.
    fingerprint  bytea NOT NULL CHECK (octet_length(fingerprint) = 32),
    -- Absent: the request has not finished, or was interrupted.
    status       smallint CHECK (status BETWEEN 200 AND 299),
    location     text,
    body         jsonb,
    created_at   timestamptz NOT NULL,
    PRIMARY KEY (actor, key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
SELECT grant_to_service('sms_status', 'SELECT, INSERT, UPDATE, DELETE', 'idempotency_keys');
