-- Syncs of a vessel or a company, by what their scope names.
CREATE INDEX sync_logs_by_scope ON sync_logs USING gin (scope jsonb_path_ops);

-- The record that a dead message was about: of an approval the record, of a page its type.
ALTER TABLE dead_letters
    ADD COLUMN record_type text CHECK (record_type IN ('company', 'vessel', 'equipment', 'user')),
    ADD COLUMN source_id   text;
UPDATE dead_letters d SET record_type = e.record_type, source_id = e.source_id
    FROM webhook_events e WHERE d.queue = 'sync.events' AND e.id::text = d.message_id;
UPDATE dead_letters d SET record_type = t.record_type
    FROM sync_queue t WHERE d.queue = 'sync.tasks' AND t.id::text = d.message_id;
CREATE INDEX dead_letters_of_record ON dead_letters (record_type, source_id) WHERE state = 'dead';

-- Rejections that an operator knows of, until a time. Other errors than those of then are not covered.
CREATE TABLE acknowledgements (
    record_type     text NOT NULL CHECK (record_type IN ('company', 'vessel', 'equipment', 'user')),
    source_id       text NOT NULL,
    -- The errors that stood: code, pointer and the MD5 of the value, with blanks between them.
    errors          text[] NOT NULL,
    reason          text NOT NULL,
    until           timestamptz NOT NULL,
    acknowledged_at timestamptz NOT NULL,
    acknowledged_by text NOT NULL,
    PRIMARY KEY (record_type, source_id)
);

-- The rejected records of which nothing needs attention. Another value at the same place is another error: of a list, the place
-- says nothing of what stands there.
CREATE VIEW acknowledged_rejections AS
    SELECT a.* FROM acknowledgements a
    WHERE a.until > now() AND (
        SELECT bool_and(f.code || ' ' || f.pointer || ' ' || md5(coalesce(f.value, '')) = ANY (a.errors)) FROM record_findings f
        WHERE f.record_type = a.record_type AND f.source_id = a.source_id AND f.severity = 'error');

-- An acknowledgement ends with the rejection: a record that is rejected anew, even for the same reason, is seen.
CREATE FUNCTION acknowledgements_end() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM acknowledgements a USING (SELECT DISTINCT record_type, source_id FROM gone WHERE severity = 'error') AS g
        WHERE a.record_type = g.record_type AND a.source_id = g.source_id AND NOT EXISTS (
            SELECT FROM record_findings f
            WHERE f.record_type = a.record_type AND f.source_id = a.source_id AND f.severity = 'error');
    RETURN NULL;
END $$;
CREATE TRIGGER record_findings_end_acknowledgements AFTER DELETE ON record_findings
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION acknowledgements_end();

-- Whoever deletes findings ends acknowledgements.
SELECT grant_to_service('sms_worker', 'SELECT, DELETE', 'acknowledgements');
SELECT grant_to_service('sms_scheduler', 'SELECT, DELETE', 'acknowledgements');
SELECT grant_to_service('sms_status', 'SELECT, INSERT, UPDATE, DELETE', 'acknowledgements');
SELECT grant_to_service('sms_status', 'SELECT', 'acknowledged_rejections');
