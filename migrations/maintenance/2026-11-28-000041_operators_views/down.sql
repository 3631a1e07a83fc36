DROP TRIGGER record_findings_end_acknowledgements ON record_findings;
DROP FUNCTION acknowledgements_end;
DROP VIEW acknowledged_rejections;
DROP TABLE acknowledgements;
ALTER TABLE dead_letters DROP COLUMN record_type, DROP COLUMN source_id;
DROP INDEX sync_logs_by_scope;
