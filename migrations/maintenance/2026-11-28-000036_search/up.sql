-- Search over records and what happened to them, and the timeline of one record. Each query has its index: tables of years are
-- read by what an operator types.

-- Trusted since PostgreSQL 13: the owner of the database may make it. Only its operator classes are used, so no role needs a
-- right to its functions.
CREATE EXTENSION IF NOT EXISTS pg_trgm;

-- Ids and codes by their beginnings, whatever the collation of the database: bytes are compared.
CREATE INDEX companies_source_id_prefix ON companies (source_id text_pattern_ops);
CREATE INDEX vessels_source_id_prefix ON vessels (source_id text_pattern_ops);
CREATE INDEX equipment_source_id_prefix ON equipment (source_id text_pattern_ops);
CREATE INDEX users_source_id_prefix ON users (source_id text_pattern_ops);
CREATE INDEX companies_imo_number_prefix ON companies (imo_company_number text_pattern_ops) WHERE imo_company_number IS NOT NULL;
-- Of withdrawn vessels, too: the unique index has the active ones.
CREATE INDEX vessels_imo_number_prefix ON vessels (imo_number text_pattern_ops);
CREATE INDEX equipment_qr_code_prefix ON equipment (qr_code text_pattern_ops);
-- The tag, 601.001/1, begins with the SFI code.
CREATE INDEX equipment_tag_prefix ON equipment ((code || '/' || unit_number::text) text_pattern_ops);

-- Lists by status, in the order of ids, with their totals.
CREATE INDEX companies_by_status ON companies (status, source_id);
CREATE INDEX vessels_by_status ON vessels (status, source_id);
CREATE INDEX equipment_by_status ON equipment (status, source_id);
CREATE INDEX users_by_status ON users (status, source_id);

-- Names and addresses by any part of three letters or digits. What waits to be merged into an index is read by each search.
CREATE INDEX companies_name_part ON companies USING gin (name gin_trgm_ops) WITH (gin_pending_list_limit = 512);
CREATE INDEX vessels_name_part ON vessels USING gin (name gin_trgm_ops) WITH (gin_pending_list_limit = 512);
CREATE INDEX equipment_name_part ON equipment USING gin (name gin_trgm_ops) WITH (gin_pending_list_limit = 512);
CREATE INDEX users_email_part ON users USING gin (email gin_trgm_ops) WITH (gin_pending_list_limit = 512);
CREATE INDEX users_name_part ON users USING gin ((coalesce(given_name || ' ', '') || family_name) gin_trgm_ops)
    WITH (gin_pending_list_limit = 512);
CREATE INDEX users_by_vessel ON users USING gin (vessel_scope);

-- Records whose newest state was rejected, which may never have had a row.
CREATE INDEX record_findings_label_part ON record_findings USING gin (label gin_trgm_ops) WHERE severity = 'error';
CREATE INDEX record_findings_source_id_prefix ON record_findings (source_id text_pattern_ops) WHERE severity = 'error';

-- Trace ids. The condition leaves out the rows of services that send no traces.
CREATE INDEX sync_logs_by_trace ON sync_logs (split_part(trace_context ->> 'traceparent', '-', 2))
    WHERE (trace_context ->> 'traceparent') IS NOT NULL;
CREATE INDEX webhook_events_by_trace ON webhook_events (split_part(trace_context ->> 'traceparent', '-', 2))
    WHERE (trace_context ->> 'traceparent') IS NOT NULL;
CREATE INDEX dead_letters_by_trace ON dead_letters (trace_id) WHERE trace_id IS NOT NULL;
CREATE INDEX audit_by_trace ON audit (trace_id) WHERE trace_id IS NOT NULL;

-- When the row was written over, by the clock of the worker; null in rows of earlier releases.
ALTER TABLE overwritten ADD COLUMN written_at timestamptz;

-- What happened to one record. Its conflicts are found by the index of their versions, its temporary passwords by its row id.
CREATE INDEX webhook_events_by_record ON webhook_events (record_type, source_id, received_at DESC, id DESC)
    WHERE source_id IS NOT NULL;
CREATE INDEX webhook_events_processed_by_record ON webhook_events (record_type, source_id, processed_at DESC, id DESC)
    WHERE processed_at IS NOT NULL;
CREATE INDEX overwritten_by_row ON overwritten (row_id, id DESC);
CREATE INDEX sync_changes_of_record ON sync_changes (record_type, source_id, id DESC);
CREATE INDEX findings_of_record ON findings (record_type, source_id, id DESC);
CREATE INDEX undo_items_of_record ON undo_items (record_type, source_id);
CREATE INDEX sync_missing_of_record ON sync_missing (record_type, source_id);
CREATE INDEX audit_by_subject ON audit (subject, id DESC);
