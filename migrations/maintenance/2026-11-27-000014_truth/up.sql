-- What a row must know so that nothing true is lost in silence.

-- fetched_at: when the request began whose answer the last sync wrote. Of two states with one updatedAt, the one that was
-- fetched later is the newer. Rows from before count as fetched long ago.
-- missing_since: withdrawn because a full sync did not find the record any more. If it is listed again, it comes back.
-- withdrawal_due_at: the onboarding portal has announced the withdrawal for this time.
ALTER TABLE companies
    ADD COLUMN fetched_at timestamptz NOT NULL DEFAULT '1970-01-01 00:00:00+00',
    ADD COLUMN missing_since timestamptz;
ALTER TABLE vessels
    ADD COLUMN fetched_at timestamptz NOT NULL DEFAULT '1970-01-01 00:00:00+00',
    ADD COLUMN missing_since timestamptz,
    ADD COLUMN withdrawal_due_at timestamptz;
ALTER TABLE equipment
    ADD COLUMN fetched_at timestamptz NOT NULL DEFAULT '1970-01-01 00:00:00+00',
    ADD COLUMN missing_since timestamptz,
    ADD COLUMN withdrawal_due_at timestamptz;
ALTER TABLE users
    ADD COLUMN fetched_at timestamptz NOT NULL DEFAULT '1970-01-01 00:00:00+00',
    ADD COLUMN missing_since timestamptz,
    ADD COLUMN withdrawal_due_at timestamptz,
    -- The employer by its id in the onboarding portal: company_id follows when the company appears.
    ADD COLUMN company_source_id text;
UPDATE users u SET company_source_id = c.source_id FROM companies c WHERE c.id = u.company_id;
CREATE INDEX users_waiting_for_company ON users (company_source_id) WHERE company_id IS NULL;

-- Earlier releases marked what they withdrew as missing by a content hash of zeros.
UPDATE companies SET missing_since = synced_at
    WHERE status = 'withdrawn' AND content_hash = '\x00000000000000000000000000000000';
UPDATE vessels SET missing_since = synced_at
    WHERE status = 'withdrawn' AND content_hash = '\x00000000000000000000000000000000';
UPDATE equipment SET missing_since = synced_at
    WHERE status = 'withdrawn' AND content_hash = '\x00000000000000000000000000000000';
UPDATE users SET missing_since = synced_at
    WHERE status = 'withdrawn' AND content_hash = '\x00000000000000000000000000000000';

CREATE INDEX vessels_by_withdrawal_due ON vessels (withdrawal_due_at) WHERE withdrawal_due_at IS NOT NULL;
CREATE INDEX equipment_by_withdrawal_due ON equipment (withdrawal_due_at) WHERE withdrawal_due_at IS NOT NULL;
CREATE INDEX users_by_withdrawal_due ON users (withdrawal_due_at) WHERE withdrawal_due_at IS NOT NULL;

-- Users who are active and have no password: a worker makes them one, by whatever way they became active.
CREATE INDEX users_without_password ON users (id)
    WHERE status = 'active' AND active AND password_hash IS NULL;

-- The door does not wait for a clock that carries out a withdrawal.
CREATE OR REPLACE VIEW user_access AS
SELECT id, source_id, email, role, company_id, vessel_scope,
    locked_because IS NULL AS may_sign_in, locked_because
FROM (
    SELECT *, CASE WHEN status = 'withdrawn' OR withdrawal_due_at <= now() THEN 'withdrawn'
                   WHEN NOT active THEN 'deactivated'
                   WHEN sign_off < (now() AT TIME ZONE 'UTC')::date THEN 'signed_off'
              END AS locked_because
    FROM users
) AS u;

-- The outcome of each company in its sync: a company comes on many pages, and its last listed state counts.
ALTER TABLE sync_companies_seen ADD COLUMN outcome text;

-- Pages that were read: a record type without any was not reached.
ALTER TABLE sync_counts ADD COLUMN pages integer NOT NULL DEFAULT 0;
UPDATE sync_counts SET pages = 1 WHERE read > 0 OR expected IS NOT NULL;

-- unverified: records are missing from a list that was not read whole.
ALTER TABLE sync_logs DROP CONSTRAINT sync_logs_missing_records_check;
ALTER TABLE sync_logs ADD CONSTRAINT sync_logs_missing_records_check CHECK
    (missing_records IN ('kept', 'planned', 'deactivated', 'asks', 'confirmed', 'declined', 'unverified'));

-- in_use: active records refer to the record that an undo would withdraw.
ALTER TABLE undo_items DROP CONSTRAINT undo_items_reason_check;
ALTER TABLE undo_items ADD CONSTRAINT undo_items_reason_check CHECK
    (reason IN ('edited_since', 'overwritten_since', 'already_withdrawn', 'key_taken', 'in_use'));

-- Records that stand rejected: whether a record is among them is asked of every page.
CREATE INDEX record_findings_of_rejected ON record_findings (record_type, source_id) WHERE severity = 'error';

-- A provider may change a record without a new time: then the content tells two conflicts apart.
DROP INDEX conflicts_same_versions_once;
CREATE UNIQUE INDEX conflicts_same_versions_once
    ON conflicts (record_type, source_id, kind, local_at, source_at, source_hash) NULLS NOT DISTINCT;
