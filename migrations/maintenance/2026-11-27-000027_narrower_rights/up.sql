-- What one service's role could still do to others.

-- Retention of the audit log, for the scheduler. Whoever may call this cannot erase what was just done: a year is kept, by the
-- database's own clock.
CREATE FUNCTION audit_retention(days bigint, batch bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF days IS NULL OR batch IS NULL OR days < 365 THEN
        RAISE EXCEPTION 'the audit log is kept for at least 365 days, not %', days;
    END IF;
    RETURN audit_purge(now() - days * interval '1 day', batch);
END $$;

-- Rows of no sensible time could be neither verified nor purged.
CREATE OR REPLACE FUNCTION audit_row_is_new() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN
    IF new.at NOT BETWEEN '2000-01-01T00:00:00Z' AND now() + interval '1 day' THEN
        RAISE EXCEPTION 'the time % of an audit row is not credible', new.at;
    END IF;
    new.position := NULL;
    new.previous_hash := NULL;
    new.hash := NULL;
    RETURN new;
END $$;

-- Removes temporary passwords that were not used in time, with their hashes, and seals that nobody needs any more: the user
-- has a password of their own. The caller need not read them.
CREATE FUNCTION expired_passwords_remove(moment timestamptz, batch bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    removed bigint;
BEGIN
    UPDATE users SET sealed_password = NULL,
        password_hash = CASE WHEN must_change_password THEN NULL ELSE password_hash END
    WHERE id = ANY(ARRAY(
        SELECT id FROM users
        WHERE (sealed_password IS NOT NULL OR (password_hash IS NOT NULL AND must_change_password))
          AND (password_expires_at <= moment OR NOT must_change_password)
        ORDER BY password_expires_at LIMIT batch FOR NO KEY UPDATE SKIP LOCKED));
    GET DIAGNOSTICS removed = ROW_COUNT;
    RETURN removed;
END $$;

-- Functions of later migrations are for whom they are granted to.
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['audit_retention(bigint, bigint)', 'expired_passwords_remove(timestamptz, bigint)'] LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', name, current_schema());
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', name);
        IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'sms_scheduler') THEN
            EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO sms_scheduler', name);
        END IF;
    END LOOP;
    -- The clock carries out announced withdrawals: it need not see who somebody is.
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'sms_scheduler') THEN
        REVOKE SELECT, UPDATE ON users FROM sms_scheduler;
        GRANT SELECT (id, source_id, status, withdrawal_due_at, synced_at),
            UPDATE (status, withdrawal_due_at, updated_at, synced_at) ON users TO sms_scheduler;
    END IF;
END $$;
