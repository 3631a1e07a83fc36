DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'sms_status') THEN
        REVOKE SELECT ON audit_chain FROM sms_status;
    END IF;
END $$;
