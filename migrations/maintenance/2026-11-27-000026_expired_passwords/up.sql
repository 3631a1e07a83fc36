-- A temporary password that was not used in time is removed with its hash; its time stays, and says that it has expired.
-- Users without hash and time have had none: a worker makes them one. Whoever is locked out has none of it any more.
CREATE OR REPLACE FUNCTION lock_out() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN
    new.password_hash := NULL;
    new.sealed_password := NULL;
    new.password_expires_at := NULL;
    new.password_claimed_at := NULL;
    RETURN new;
END $$;
UPDATE users SET password_expires_at = NULL, password_claimed_at = NULL
WHERE (NOT active OR status = 'withdrawn') AND (password_expires_at IS NOT NULL OR password_claimed_at IS NOT NULL);

DROP INDEX users_without_password;
CREATE INDEX users_without_password ON users (id)
    WHERE status = 'active' AND active AND password_hash IS NULL AND password_expires_at IS NULL;

-- What the scheduler purges.
CREATE INDEX users_by_password_expiry ON users (password_expires_at)
    WHERE sealed_password IS NOT NULL OR (password_hash IS NOT NULL AND must_change_password);
