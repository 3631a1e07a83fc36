DROP INDEX record_findings_of_rejected;
DROP INDEX conflicts_same_versions_once;
DELETE FROM conflicts c USING conflicts d WHERE d.id < c.id AND (d.record_type, d.source_id, d.kind, d.local_at, d.source_at)
    = (c.record_type, c.source_id, c.kind, c.local_at, c.source_at);
CREATE UNIQUE INDEX conflicts_same_versions_once ON conflicts (record_type, source_id, kind, local_at, source_at);
ALTER TABLE undo_items DROP CONSTRAINT undo_items_reason_check;
UPDATE undo_items SET reason = 'edited_since' WHERE reason = 'in_use';
ALTER TABLE undo_items ADD CONSTRAINT undo_items_reason_check CHECK
    (reason IN ('edited_since', 'overwritten_since', 'already_withdrawn', 'key_taken'));
ALTER TABLE sync_logs DROP CONSTRAINT sync_logs_missing_records_check;
UPDATE sync_logs SET missing_records = 'kept' WHERE missing_records = 'unverified';
ALTER TABLE sync_logs ADD CONSTRAINT sync_logs_missing_records_check CHECK
    (missing_records IN ('kept', 'planned', 'deactivated', 'asks', 'confirmed', 'declined'));
ALTER TABLE sync_counts DROP COLUMN pages;
ALTER TABLE sync_companies_seen DROP COLUMN outcome;
DROP VIEW user_access;
ALTER TABLE users DROP COLUMN company_source_id, DROP COLUMN withdrawal_due_at, DROP COLUMN missing_since,
    DROP COLUMN fetched_at;
ALTER TABLE equipment DROP COLUMN withdrawal_due_at, DROP COLUMN missing_since, DROP COLUMN fetched_at;
ALTER TABLE vessels DROP COLUMN withdrawal_due_at, DROP COLUMN missing_since, DROP COLUMN fetched_at;
ALTER TABLE companies DROP COLUMN missing_since, DROP COLUMN fetched_at;
CREATE VIEW user_access AS
SELECT id, source_id, email, role, company_id, vessel_scope,
    locked_because IS NULL AS may_sign_in, locked_because
FROM (
    SELECT *, CASE WHEN status = 'withdrawn' THEN 'withdrawn'
                   WHEN NOT active THEN 'deactivated'
                   WHEN sign_off < (now() AT TIME ZONE 'UTC')::date THEN 'signed_off'
              END AS locked_because
    FROM users
) AS u;
