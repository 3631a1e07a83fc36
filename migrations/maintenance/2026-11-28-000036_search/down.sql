DROP INDEX audit_by_subject;
DROP INDEX sync_missing_of_record;
DROP INDEX undo_items_of_record;
DROP INDEX findings_of_record;
DROP INDEX sync_changes_of_record;
DROP INDEX overwritten_by_row;
DROP INDEX webhook_events_processed_by_record;
DROP INDEX webhook_events_by_record;
ALTER TABLE overwritten DROP COLUMN written_at;
DROP INDEX audit_by_trace;
DROP INDEX dead_letters_by_trace;
DROP INDEX webhook_events_by_trace;
DROP INDEX sync_logs_by_trace;
DROP INDEX record_findings_source_id_prefix;
DROP INDEX record_findings_label_part;
DROP INDEX users_by_vessel;
DROP INDEX users_name_part;
DROP INDEX users_email_part;
DROP INDEX equipment_name_part;
DROP INDEX vessels_name_part;
DROP INDEX companies_name_part;
DROP INDEX users_by_status;
DROP INDEX equipment_by_status;
DROP INDEX vessels_by_status;
DROP INDEX companies_by_status;
DROP INDEX equipment_tag_prefix;
DROP INDEX equipment_qr_code_prefix;
DROP INDEX vessels_imo_number_prefix;
DROP INDEX companies_imo_number_prefix;
DROP INDEX users_source_id_prefix;
DROP INDEX equipment_source_id_prefix;
DROP INDEX vessels_source_id_prefix;
DROP INDEX companies_source_id_prefix;
-- It stays if others use it, or have made it.
DO $$ BEGIN
    DROP EXTENSION IF EXISTS pg_trgm;
EXCEPTION
    WHEN dependent_objects_still_exist OR insufficient_privilege THEN NULL;
END $$;
