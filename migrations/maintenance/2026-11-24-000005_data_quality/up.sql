-- Findings that stand: of each record those of the state that was written or rejected last. Findings of a run go with
-- their run; these stay until the record is written or rejected anew.
CREATE TABLE record_findings (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sync_id       uuid REFERENCES sync_logs ON DELETE SET NULL, -- the run that made it
    record_type   text NOT NULL CHECK (record_type IN ('company', 'vessel', 'equipment', 'user')),
    source_id     text NOT NULL,
    label         text,
    vessel_ids    text[] NOT NULL, -- the vessels that the record belongs to, by vessels.source_id
    severity      text NOT NULL CHECK (severity IN ('error', 'warning')),
    code          text NOT NULL,
    pointer       text NOT NULL,
    message       text NOT NULL,
    value         text,
    found_at      timestamptz NOT NULL
);
CREATE INDEX record_findings_by_record ON record_findings (record_type, source_id);
CREATE INDEX record_findings_by_vessel ON record_findings USING gin (vessel_ids);
CREATE INDEX findings_by_code ON findings (sync_id, severity, code);
CREATE INDEX vessels_by_mmsi ON vessels (mmsi) WHERE mmsi IS NOT NULL;
