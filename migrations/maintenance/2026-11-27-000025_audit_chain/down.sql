DROP TRIGGER audit_append_to_chain ON audit;
DROP TRIGGER audit_row_is_new ON audit;
DROP TRIGGER audit_chain_is_not_truncated ON audit_chain;
DROP TRIGGER audit_is_not_truncated ON audit;
DROP TRIGGER audit_is_append_only ON audit;
DROP FUNCTION audit_purge(timestamptz, bigint);
DROP FUNCTION audit_is_not_truncated();
DROP FUNCTION audit_row_is_new();
DROP FUNCTION audit_append_to_chain();
DROP FUNCTION audit_hash(bytea, audit);
DROP FUNCTION audit_part(text);
DROP INDEX audit_by_position;
DROP TABLE audit_chain;
ALTER TABLE audit
    DROP COLUMN hash,
    DROP COLUMN previous_hash,
    DROP COLUMN position,
    DROP COLUMN request_id,
    DROP COLUMN trace_id;
CREATE OR REPLACE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'audit is append-only'; END $$;
ALTER FUNCTION audit_is_append_only() SECURITY INVOKER;
ALTER FUNCTION audit_is_append_only() RESET search_path;
CREATE TRIGGER audit_is_append_only BEFORE UPDATE OR DELETE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
