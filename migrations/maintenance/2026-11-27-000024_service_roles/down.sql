-- The roles stay: other databases of the server may use them.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['sms_webhook_ingest', 'sms_scheduler', 'sms_worker', 'sms_status'] LOOP
        IF EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
            EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA public FROM %I', name);
        END IF;
    END LOOP;
END $$;
DROP FUNCTION grant_to_service;
