DROP INDEX users_by_password_expiry;
DROP INDEX users_without_password;
CREATE INDEX users_without_password ON users (id)
    WHERE status = 'active' AND active AND password_hash IS NULL;
CREATE OR REPLACE FUNCTION lock_out() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN
    new.password_hash := NULL;
    new.sealed_password := NULL;
    RETURN new;
END $$;
