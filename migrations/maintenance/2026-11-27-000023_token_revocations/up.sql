-- Tokens of operators that are valid no longer: one token, or all that a subject was issued until a time.
CREATE TABLE token_revocations (
    id           uuid PRIMARY KEY,
    token_id     text UNIQUE,
    subject      text UNIQUE,
    issued_until timestamptz NOT NULL,
    reason       text,
    revoked_at   timestamptz NOT NULL,
    revoked_by   text NOT NULL,
    CHECK ((token_id IS NULL) <> (subject IS NULL))
);
CREATE INDEX token_revocations_revoked_at ON token_revocations (revoked_at);
