-- Requests to the webhook endpoint that were refused: what arrived and why it became no event.
--
-- What an attacker sends must not fill the disk: webhook-ingest writes at most a few rows per reason and minute, counts
-- the others in `alike`, keeps the newest rows only, and every text is cut. Bodies are not kept, but their size and
-- digest are, so that a sender can find out which of his requests it was.
CREATE TABLE refused_webhooks (
    id            uuid PRIMARY KEY, -- version 7: ordered by time
    received_at   timestamptz NOT NULL,
    reason        text NOT NULL CHECK (reason IN
                    ('unsupported_method', 'unsupported_content_type', 'payload_too_large', 'unreadable_body',
                     'missing_signature', 'malformed_id', 'malformed_timestamp', 'timestamp_out_of_tolerance',
                     'no_usable_signature', 'verification_failed', 'unparsable_json', 'schema_invalid',
                     'rate_limited', 'overloaded', 'not_recorded')),
    status        smallint NOT NULL CHECK (status BETWEEN 400 AND 599), -- what the sender was answered
    detail        text NOT NULL CHECK (char_length(detail) <= 500),
    source        text NOT NULL CHECK (char_length(source) <= 64),      -- address of the sender
    webhook_id    text CHECK (char_length(webhook_id) <= 255),          -- as claimed
    content_type  text CHECK (char_length(content_type) <= 255),
    user_agent    text CHECK (char_length(user_agent) <= 255),
    body_bytes    bigint CHECK (body_bytes >= 0),                       -- null: the body was not read
    body_sha256   bytea CHECK (octet_length(body_sha256) = 32),
    -- requests refused for the same reason since the row before, that have no row of their own
    alike         bigint NOT NULL DEFAULT 0 CHECK (alike >= 0)
);
CREATE INDEX refused_webhooks_by_reason ON refused_webhooks (reason, id DESC);
