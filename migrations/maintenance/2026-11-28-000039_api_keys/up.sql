-- Keys of services that use the operator API. The secret itself is stored nowhere.
CREATE TABLE api_keys (
    id           uuid PRIMARY KEY,
    name         text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    role         text NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
    -- SHA-256 of a secret of 256 random bits: nobody guesses it, so the hash need not be slow.
    secret_hash  bytea NOT NULL CHECK (octet_length(secret_hash) = 32),
    created_at   timestamptz NOT NULL,
    created_by   text NOT NULL,
    expires_at   timestamptz NOT NULL,
    revoked_at   timestamptz,
    -- The key that it was replaced by.
    replaced_by  uuid REFERENCES api_keys ON DELETE SET NULL,
    -- To the minute; null: never.
    last_used_at timestamptz
);
CREATE INDEX api_keys_by_successor ON api_keys (replaced_by) WHERE replaced_by IS NOT NULL;
CREATE INDEX api_keys_by_name ON api_keys (name, created_at DESC);
SELECT grant_to_service('sms_status', 'SELECT, INSERT, UPDATE, DELETE', 'api_keys');
