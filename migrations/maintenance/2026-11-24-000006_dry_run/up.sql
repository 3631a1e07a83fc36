-- What a dry run would do, and what a full sync did not find any more.

-- One record that a dry run would touch, or would refuse. The rows are those that its page would have read and written:
-- later pages of the same run see them as if they were there.
CREATE TABLE sync_changes (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sync_id      uuid NOT NULL REFERENCES sync_logs ON DELETE CASCADE,
    record_type  text NOT NULL CHECK (record_type IN ('company', 'vessel', 'equipment', 'user')),
    source_id    text NOT NULL,
    label        text, -- what a person calls the record
    outcome      text NOT NULL CHECK (outcome IN ('created', 'updated', 'unchanged', 'conflict', 'rejected', 'skipped')),
    fields       jsonb NOT NULL DEFAULT '[]', -- field by field: pointer, old and new value; persons' data masked
    conflict     jsonb, -- kind, winner, and the fields in which the two sides differ
    row_before   jsonb, -- without passwords
    row_after    jsonb,
    key_before   text, -- the natural key
    key_after    text
);
CREATE INDEX sync_changes_by_sync ON sync_changes (sync_id, id);
CREATE INDEX sync_changes_by_record ON sync_changes (sync_id, record_type, source_id);
CREATE INDEX sync_changes_by_key_before ON sync_changes (sync_id, record_type, key_before) WHERE key_before IS NOT NULL;
CREATE INDEX sync_changes_by_key_after ON sync_changes (sync_id, record_type, key_after) WHERE key_after IS NOT NULL;

-- The ids of a page of a full sync: one row per page, so that what is unchanged costs no write of its own.
CREATE TABLE sync_seen (
    sync_id      uuid NOT NULL REFERENCES sync_logs ON DELETE CASCADE,
    record_type  text NOT NULL CHECK (record_type IN ('vessel', 'equipment', 'user')),
    source_ids   text[] NOT NULL
);
CREATE INDEX sync_seen_by_sync ON sync_seen (sync_id, record_type);

-- What is here and was not listed any more.
CREATE TABLE sync_missing (
    sync_id      uuid NOT NULL REFERENCES sync_logs ON DELETE CASCADE,
    record_type  text NOT NULL CHECK (record_type IN ('company', 'vessel', 'equipment', 'user')),
    source_id    text NOT NULL,
    PRIMARY KEY (sync_id, record_type, source_id)
);

ALTER TABLE sync_counts
    ADD COLUMN missing bigint NOT NULL DEFAULT 0 CHECK (missing >= 0),
    ADD COLUMN deactivated bigint NOT NULL DEFAULT 0 CHECK (deactivated BETWEEN 0 AND missing);

ALTER TABLE sync_logs
    -- what became of the missing records: kept, would be deactivated (dry run), deactivated by the setting; or an operator
    -- is asked, and has said yes or no
    ADD COLUMN missing_records text
        CHECK (missing_records IN ('kept', 'planned', 'deactivated', 'asks', 'confirmed', 'declined'));

ALTER TABLE settings
    ADD COLUMN missing_records text NOT NULL DEFAULT 'keep' CHECK (missing_records IN ('keep', 'deactivate')),
    -- of the active records of a type; beyond it an operator is asked
    ADD COLUMN deactivation_limit_percent integer NOT NULL DEFAULT 5
        CHECK (deactivation_limit_percent BETWEEN 0 AND 100);
