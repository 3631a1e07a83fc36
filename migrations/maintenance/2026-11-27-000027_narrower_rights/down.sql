DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'sms_scheduler') THEN
        REVOKE ALL ON users FROM sms_scheduler;
        GRANT SELECT, UPDATE ON users TO sms_scheduler;
    END IF;
END $$;
ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO PUBLIC;
DROP FUNCTION expired_passwords_remove(timestamptz, bigint);
DROP FUNCTION audit_retention(bigint, bigint);
CREATE OR REPLACE FUNCTION audit_row_is_new() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN
    new.position := NULL;
    new.previous_hash := NULL;
    new.hash := NULL;
    RETURN new;
END $$;
