-- Retention of the audit log, for the scheduler. Whoever may call this cannot erase what was just done: a year is kept, by the
-- database's own clock.
CREATE FUNCTION audit_retention(days bigint, batch bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF days < 365 THEN
        RAISE EXCEPTION 'the audit log is kept for at least 365 days, not %', days;
    END IF;
    RETURN audit_purge(now() - days * interval '1 day', batch);
END $$;
REVOKE EXECUTE ON FUNCTION audit_retention(bigint, bigint) FROM PUBLIC;

DO $$ BEGIN
    EXECUTE format('ALTER FUNCTION audit_retention(bigint, bigint) SET search_path = %I, pg_temp', current_schema());
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'sms_scheduler') THEN
        GRANT EXECUTE ON FUNCTION audit_retention(bigint, bigint) TO sms_scheduler;
    END IF;
END $$;
