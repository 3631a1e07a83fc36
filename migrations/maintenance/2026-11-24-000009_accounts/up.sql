-- Accounts: roles by a mapping with versions, and who is locked out.

-- Every version of the mapping from rank, department and workplace to a role. Never changed, only followed by the next.
CREATE TABLE role_mappings (
    version     integer PRIMARY KEY CHECK (version >= 1),
    rules       jsonb NOT NULL CHECK (jsonb_typeof(rules) = 'array'),
    created_at  timestamptz NOT NULL DEFAULT now(),
    created_by  text NOT NULL DEFAULT 'migration'
);
-- The one in force. Whoever maps users holds it shared, whoever changes it alone: no user slips through in between.
CREATE TABLE role_mapping_current (
    id       boolean PRIMARY KEY DEFAULT true CHECK (id),
    version  integer NOT NULL REFERENCES role_mappings
);
INSERT INTO role_mappings (version, rules) VALUES (1, '[
    {"rank": "master", "workplace": "ship", "role": "master"},
    {"rank": "chief_officer", "workplace": "ship", "role": "officer"},
    {"rank": "second_officer", "workplace": "ship", "role": "officer"},
    {"rank": "third_officer", "workplace": "ship", "role": "officer"},
    {"rank": "chief_engineer", "workplace": "ship", "role": "chief_engineer"},
    {"rank": "second_engineer", "workplace": "ship", "role": "officer"},
    {"rank": "third_engineer", "workplace": "ship", "role": "officer"},
    {"rank": "fourth_engineer", "workplace": "ship", "role": "officer"},
    {"rank": "eto", "workplace": "ship", "role": "officer"},
    {"rank": "ship_security_officer", "workplace": "ship", "role": "officer"},
    {"rank": "safety_officer", "workplace": "ship", "role": "officer"},
    {"rank": "bosun", "workplace": "ship", "role": "crew"},
    {"rank": "ab", "workplace": "ship", "role": "crew"},
    {"rank": "fitter", "workplace": "ship", "role": "crew"},
    {"rank": "oiler", "workplace": "ship", "role": "crew"},
    {"rank": "cadet", "workplace": "ship", "department": "engine", "role": "crew"},
    {"rank": "cadet", "workplace": "ship", "role": "crew_readonly"},
    {"rank": "os", "workplace": "ship", "role": "crew_readonly"},
    {"rank": "wiper", "workplace": "ship", "role": "crew_readonly"},
    {"rank": "cook", "workplace": "ship", "role": "crew_readonly"},
    {"rank": "designated_person_ashore", "workplace": "shore", "role": "hsqe"},
    {"rank": "company_security_officer", "workplace": "shore", "role": "hsqe"},
    {"rank": "hsqe", "workplace": "shore", "role": "hsqe"},
    {"rank": "fleet_manager", "workplace": "shore", "role": "fleet_manager"},
    {"rank": "technical_superintendent", "workplace": "shore", "role": "superintendent"},
    {"rank": "marine_superintendent", "workplace": "shore", "role": "superintendent"},
    {"rank": "purchasing", "workplace": "shore", "role": "purchasing"},
    {"rank": "crewing", "workplace": "shore", "role": "auditor"},
    {"rank": "class_surveyor", "workplace": "shore", "role": "auditor"},
    {"rank": "auditor", "workplace": "shore", "role": "auditor"}
]');
INSERT INTO role_mapping_current (version) VALUES (1);

-- Whoever is deactivated or withdrawn has no password any more, by whatever way it came about. A password is made anew
-- when the account is active again.
CREATE FUNCTION lock_out() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN
    new.password_hash := NULL;
    new.sealed_password := NULL;
    RETURN new;
END $$;
CREATE TRIGGER users_lock_out BEFORE INSERT OR UPDATE ON users FOR EACH ROW
    WHEN (NOT new.active OR new.status = 'withdrawn') EXECUTE FUNCTION lock_out();
UPDATE users SET password_hash = NULL, sealed_password = NULL WHERE NOT active OR status = 'withdrawn';

-- Who may sign in, today: what the maintenance portal asks at its door.
CREATE VIEW user_access AS
SELECT id, source_id, email, role, company_id, vessel_scope,
    locked_because IS NULL AS may_sign_in, locked_because
FROM (
    SELECT *, CASE WHEN status = 'withdrawn' THEN 'withdrawn'
                   WHEN NOT active THEN 'deactivated'
                   WHEN sign_off < (now() AT TIME ZONE 'UTC')::date THEN 'signed_off'
              END AS locked_because
    FROM users
) AS u;
