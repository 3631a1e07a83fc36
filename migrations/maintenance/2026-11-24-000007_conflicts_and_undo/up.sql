-- Conflicts with their policy and resolution, and what it takes to undo a run.

-- A conflict outlives its run: retention must not make a decision.
ALTER TABLE conflicts
    ALTER COLUMN sync_id DROP NOT NULL,
    DROP CONSTRAINT conflicts_sync_id_fkey,
    ADD CONSTRAINT conflicts_sync_id_fkey FOREIGN KEY (sync_id) REFERENCES sync_logs ON DELETE SET NULL,
    ADD COLUMN label text,
    ADD COLUMN policy text NOT NULL DEFAULT 'last_write_wins'
        CHECK (policy IN ('last_write_wins', 'source_wins', 'manual')),
    ADD COLUMN local_writer text NOT NULL DEFAULT 'maintenance' CHECK (local_writer IN ('onboarding', 'maintenance')),
    -- the content of the onboarding portal's side: once resolved, it is nothing new
    ADD COLUMN source_hash bytea CHECK (octet_length(source_hash) = 16),
    ADD COLUMN resolution text CHECK (resolution IN ('source', 'local', 'fields', 'keep')),
    -- of a resolution field by field: which side each field was taken from
    ADD COLUMN resolved_fields jsonb,
    ADD CONSTRAINT conflicts_resolved_how CHECK ((state = 'resolved') = (resolution IS NOT NULL)),
    ADD CONSTRAINT conflicts_fields_of_a_resolution CHECK ((resolution = 'fields') = (resolved_fields IS NOT NULL));
CREATE INDEX conflicts_recent ON conflicts (opened_at DESC, id DESC);
CREATE INDEX conflicts_open ON conflicts (record_type) WHERE state = 'open';

-- What to do when both portals have changed a record. One row; the version is the ETag.
CREATE TABLE conflict_policies (
    id           boolean PRIMARY KEY DEFAULT true CHECK (id),
    version      bigint NOT NULL DEFAULT 1,
    company      text NOT NULL DEFAULT 'last_write_wins' CHECK (company IN ('last_write_wins', 'source_wins', 'manual')),
    vessel       text NOT NULL DEFAULT 'last_write_wins' CHECK (vessel IN ('last_write_wins', 'source_wins', 'manual')),
    equipment    text NOT NULL DEFAULT 'last_write_wins' CHECK (equipment IN ('last_write_wins', 'source_wins', 'manual')),
    "user"       text NOT NULL DEFAULT 'last_write_wins' CHECK ("user" IN ('last_write_wins', 'source_wins', 'manual')),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    updated_by   text NOT NULL DEFAULT 'migration'
);
INSERT INTO conflict_policies DEFAULT VALUES;

-- The run that wrote a row last. No foreign key: runs are forgotten before their records.
ALTER TABLE companies ADD COLUMN synced_by uuid;
ALTER TABLE vessels ADD COLUMN synced_by uuid;
ALTER TABLE equipment ADD COLUMN synced_by uuid;
ALTER TABLE users ADD COLUMN synced_by uuid;
ALTER TABLE critical_parts ADD COLUMN synced_by uuid;
ALTER TABLE maintenance_schedules ADD COLUMN synced_by uuid;

-- Rows as they were before a run wrote over them: the columns of the onboarding portal, no passwords.
CREATE TABLE overwritten (
    id           bigint GENERATED ALWAYS AS IDENTITY,
    sync_id      uuid NOT NULL REFERENCES sync_logs ON DELETE CASCADE,
    record_type  text NOT NULL,
    row_id       uuid NOT NULL,
    synced_by    uuid, -- the run that had written what was overwritten
    image        jsonb NOT NULL
);
CREATE INDEX overwritten_by_sync ON overwritten (sync_id, record_type);

CREATE TABLE undos (
    sync_id      uuid PRIMARY KEY REFERENCES sync_logs ON DELETE CASCADE,
    undone_at    timestamptz NOT NULL,
    undone_by    text NOT NULL
);
CREATE TABLE undo_items (
    sync_id      uuid NOT NULL REFERENCES undos ON DELETE CASCADE,
    record_type  text NOT NULL CHECK (record_type IN ('company', 'vessel', 'equipment', 'user')),
    source_id    text NOT NULL,
    result       text NOT NULL CHECK (result IN ('restored', 'withdrawn', 'skipped')),
    reason       text CHECK (reason IN ('edited_since', 'overwritten_since', 'already_withdrawn', 'key_taken')),
    PRIMARY KEY (sync_id, record_type, source_id),
    CONSTRAINT undo_items_say_why CHECK ((result = 'skipped') = (reason IS NOT NULL))
);
