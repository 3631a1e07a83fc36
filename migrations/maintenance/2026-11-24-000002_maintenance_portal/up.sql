-- The maintenance portal's own tables: what the sync brings, and what people on board and ashore make of it.
--
-- Every table keeps, for last write wins, who wrote its row last and when. A sync always moves synced_at; an update
-- that does not is an edit in the maintenance portal, by whatever way, and a trigger stamps it as one.
-- id: ours. Natural keys are unique among all rows, withdrawn ones too.

CREATE FUNCTION stamp_maintenance_write() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN
    new.last_writer := 'maintenance';
    new.version_at := clock_timestamp();
    new.updated_at := new.version_at;
    RETURN new;
END $$;

-- Parts and schedules belong to their equipment: it is versioned with them.
CREATE FUNCTION stamp_maintenance_write_of_equipment() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN
    UPDATE equipment SET last_writer = 'maintenance', version_at = clock_timestamp(), updated_at = clock_timestamp()
    WHERE id = new.equipment_id;
    RETURN NULL;
END $$;

-- A company that owns or manages ships.
CREATE TABLE companies (
    id                  uuid PRIMARY KEY,
    name                text NOT NULL,
    imo_company_number  text,
    country             text NOT NULL CHECK (country ~ '^[A-Z]{2}$'),
    email               text,
    source_id           text NOT NULL UNIQUE, -- its id in the onboarding portal
    source_updated_at   timestamptz NOT NULL,
    content_hash        bytea NOT NULL CHECK (octet_length(content_hash) = 16),
    version_at          timestamptz NOT NULL, -- of the last write, whoever wrote
    last_writer         text NOT NULL DEFAULT 'onboarding' CHECK (last_writer IN ('onboarding', 'maintenance')),
    synced_at           timestamptz NOT NULL,
    status              text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'withdrawn')),
    created_at          timestamptz NOT NULL,
    updated_at          timestamptz NOT NULL
);
CREATE TRIGGER companies_stamp_maintenance_write BEFORE UPDATE ON companies FOR EACH ROW
    WHEN (new.synced_at IS NOT DISTINCT FROM old.synced_at AND (
         old.name, old.imo_company_number, old.country, old.email, old.status
         ) IS DISTINCT FROM (
         new.name, new.imo_company_number, new.country, new.email, new.status))
    EXECUTE FUNCTION stamp_maintenance_write();

-- A vessel.
CREATE TABLE vessels (
    id                  uuid PRIMARY KEY,
    company_id          uuid REFERENCES companies,
    imo_number          text NOT NULL UNIQUE CHECK (imo_number ~ '^[0-9]{7}$'),
    name                text NOT NULL,
    mmsi                text CHECK (mmsi ~ '^[0-9]{9}$'),
    call_sign           text,
    flag                text NOT NULL CHECK (flag ~ '^[A-Z]{2}$'),
    port_of_registry    text,
    vessel_type         text NOT NULL,
    gross_tonnage       integer,
    net_tonnage         integer,
    deadweight          integer,
    length_overall_m    double precision,
    beam_m              double precision,
    draught_m           double precision,
    build_year          integer,
    shipyard            text,
    hull_number         text,
    class_society       text,
    main_engine         text,
    service_status      text NOT NULL,
    source_id           text NOT NULL UNIQUE, -- its id in the onboarding portal
    source_updated_at   timestamptz NOT NULL,
    content_hash        bytea NOT NULL CHECK (octet_length(content_hash) = 16),
    version_at          timestamptz NOT NULL, -- of the last write, whoever wrote
    last_writer         text NOT NULL DEFAULT 'onboarding' CHECK (last_writer IN ('onboarding', 'maintenance')),
    synced_at           timestamptz NOT NULL,
    status              text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'withdrawn')),
    created_at          timestamptz NOT NULL,
    updated_at          timestamptz NOT NULL
);
CREATE INDEX vessels_by_company ON vessels (company_id);
CREATE TRIGGER vessels_stamp_maintenance_write BEFORE UPDATE ON vessels FOR EACH ROW
    WHEN (new.synced_at IS NOT DISTINCT FROM old.synced_at AND (
         old.company_id, old.imo_number, old.name, old.mmsi, old.call_sign, old.flag, old.port_of_registry,
         old.vessel_type, old.gross_tonnage, old.net_tonnage, old.deadweight, old.length_overall_m,
         old.beam_m, old.draught_m, old.build_year, old.shipyard, old.hull_number, old.class_society,
         old.main_engine, old.service_status, old.status
         ) IS DISTINCT FROM (
         new.company_id, new.imo_number, new.name, new.mmsi, new.call_sign, new.flag, new.port_of_registry,
         new.vessel_type, new.gross_tonnage, new.net_tonnage, new.deadweight, new.length_overall_m,
         new.beam_m, new.draught_m, new.build_year, new.shipyard, new.hull_number, new.class_society,
         new.main_engine, new.service_status, new.status))
    EXECUTE FUNCTION stamp_maintenance_write();

-- A piece of equipment on board.
CREATE TABLE equipment (
    id                  uuid PRIMARY KEY,
    vessel_id           uuid NOT NULL REFERENCES vessels,
    code                text NOT NULL, -- SFI
    unit_number         integer NOT NULL CHECK (unit_number >= 1),
    name                text NOT NULL,
    maker               text,
    model               text,
    serial_number       text,
    location            text,
    specs               jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(specs) = 'object'),
    is_critical         boolean NOT NULL, -- a sync sets it, and never takes it away
    criticality_basis   text,
    is_standby          boolean NOT NULL,
    standby_test_interval_days integer,
    redundancy_group    text,
    qr_code             text NOT NULL UNIQUE,
    installed_on        date,
    warranty_until      date,
    service_status      text NOT NULL,
    -- the ship's own: a sync sets them when it creates the row, and never again
    running_hours       integer CHECK (running_hours >= 0),
    qr_label_state      text NOT NULL DEFAULT 'to_print' CHECK (qr_label_state IN ('to_print', 'printed', 'attached')),
    source_id           text NOT NULL UNIQUE, -- its id in the onboarding portal
    source_updated_at   timestamptz NOT NULL,
    content_hash        bytea NOT NULL CHECK (octet_length(content_hash) = 16),
    version_at          timestamptz NOT NULL, -- of the last write, whoever wrote
    last_writer         text NOT NULL DEFAULT 'onboarding' CHECK (last_writer IN ('onboarding', 'maintenance')),
    synced_at           timestamptz NOT NULL,
    status              text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'withdrawn')),
    created_at          timestamptz NOT NULL,
    updated_at          timestamptz NOT NULL
);
CREATE INDEX equipment_by_vessel ON equipment (vessel_id, code, unit_number);
CREATE TRIGGER equipment_stamp_maintenance_write BEFORE UPDATE ON equipment FOR EACH ROW
    WHEN (new.synced_at IS NOT DISTINCT FROM old.synced_at AND (
         old.vessel_id, old.code, old.unit_number, old.name, old.maker, old.model, old.serial_number,
         old.location, old.specs, old.is_critical, old.criticality_basis, old.is_standby,
         old.standby_test_interval_days, old.redundancy_group, old.qr_code, old.installed_on,
         old.warranty_until, old.service_status, old.status
         ) IS DISTINCT FROM (
         new.vessel_id, new.code, new.unit_number, new.name, new.maker, new.model, new.serial_number,
         new.location, new.specs, new.is_critical, new.criticality_basis, new.is_standby,
         new.standby_test_interval_days, new.redundancy_group, new.qr_code, new.installed_on,
         new.warranty_until, new.service_status, new.status))
    EXECUTE FUNCTION stamp_maintenance_write();

-- A person with an account.
CREATE TABLE users (
    id                  uuid PRIMARY KEY,
    email               text NOT NULL,
    given_name          text,
    family_name         text NOT NULL,
    employee_number     text,
    rank                text NOT NULL,
    department          text,
    workplace           text NOT NULL CHECK (workplace IN ('ship', 'shore')),
    role                text NOT NULL, -- mapped from the rank; the least where the rank is unknown
    role_mapping_version integer NOT NULL, -- of the table that mapped it
    company_id          uuid REFERENCES companies,
    vessel_scope        text[] NOT NULL, -- the vessels whose data the person may see, by vessels.source_id
    sign_on             date,
    sign_off            date,
    active              boolean NOT NULL,
    -- The temporary password of a new account: never set again by a sync, revealed once.
    password_hash         text, -- Argon2id, PHC string
    sealed_password       bytea,
    password_expires_at   timestamptz,
    password_claimed_at   timestamptz,
    must_change_password  boolean NOT NULL DEFAULT true,
    CONSTRAINT users_sealed_passwords_expire CHECK (sealed_password IS NULL OR password_expires_at IS NOT NULL),
    CONSTRAINT users_passwords_are_revealed_once CHECK (password_claimed_at IS NULL OR sealed_password IS NULL),
    source_id           text NOT NULL UNIQUE, -- its id in the onboarding portal
    source_updated_at   timestamptz NOT NULL,
    content_hash        bytea NOT NULL CHECK (octet_length(content_hash) = 16),
    version_at          timestamptz NOT NULL, -- of the last write, whoever wrote
    last_writer         text NOT NULL DEFAULT 'onboarding' CHECK (last_writer IN ('onboarding', 'maintenance')),
    synced_at           timestamptz NOT NULL,
    status              text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'withdrawn')),
    created_at          timestamptz NOT NULL,
    updated_at          timestamptz NOT NULL
);
CREATE UNIQUE INDEX users_email_key ON users (lower(email));
CREATE INDEX users_by_company ON users (company_id);
CREATE TRIGGER users_stamp_maintenance_write BEFORE UPDATE ON users FOR EACH ROW
    WHEN (new.synced_at IS NOT DISTINCT FROM old.synced_at AND (
         old.email, old.given_name, old.family_name, old.employee_number, old.rank, old.department,
         old.workplace, old.role, old.company_id, old.vessel_scope, old.sign_on, old.sign_off, old.active,
         old.status
         ) IS DISTINCT FROM (
         new.email, new.given_name, new.family_name, new.employee_number, new.rank, new.department,
         new.workplace, new.role, new.company_id, new.vessel_scope, new.sign_on, new.sign_off, new.active,
         new.status))
    EXECUTE FUNCTION stamp_maintenance_write();

-- A spare part that must be on board, of one piece of equipment.
CREATE TABLE critical_parts (
    id                  uuid PRIMARY KEY,
    equipment_id        uuid NOT NULL REFERENCES equipment ON DELETE CASCADE,
    source_id           text NOT NULL,
    part_number         text NOT NULL,
    name                text NOT NULL,
    maker               text,
    drawing_number      text,
    position_number     text,
    unit                text NOT NULL,
    minimum_stock       integer NOT NULL CHECK (minimum_stock >= 0),
    reorder_quantity    integer,
    location            text,
    lead_time_days      integer,
    is_critical         boolean NOT NULL,
    -- the ship's own
    stock_on_board      integer CHECK (stock_on_board >= 0),
    status              text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'withdrawn')),
    synced_at           timestamptz NOT NULL,
    created_at          timestamptz NOT NULL,
    updated_at          timestamptz NOT NULL,
    UNIQUE (equipment_id, source_id)
);
CREATE TRIGGER critical_parts_stamp_maintenance_write AFTER UPDATE ON critical_parts FOR EACH ROW
    WHEN (new.synced_at IS NOT DISTINCT FROM old.synced_at AND (
         old.part_number, old.name, old.maker, old.drawing_number, old.position_number, old.unit,
         old.minimum_stock, old.reorder_quantity, old.location, old.lead_time_days, old.is_critical,
         old.status
         ) IS DISTINCT FROM (
         new.part_number, new.name, new.maker, new.drawing_number, new.position_number, new.unit,
         new.minimum_stock, new.reorder_quantity, new.location, new.lead_time_days, new.is_critical,
         new.status))
    EXECUTE FUNCTION stamp_maintenance_write_of_equipment();

-- What is to be done to a piece of equipment, and when.
CREATE TABLE maintenance_schedules (
    id                  uuid PRIMARY KEY,
    equipment_id        uuid NOT NULL REFERENCES equipment ON DELETE CASCADE,
    source_id           text NOT NULL,
    job_code            text NOT NULL,
    title               text NOT NULL,
    procedure           text,
    kind                text NOT NULL,
    every_days          integer CHECK (every_days >= 1),
    every_hours         integer CHECK (every_hours >= 1),
    tolerance_days      integer,
    responsible_rank    text,
    class_item_code     text,
    -- the ship's own
    last_done_on        date,
    status              text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'withdrawn')),
    synced_at           timestamptz NOT NULL,
    created_at          timestamptz NOT NULL,
    updated_at          timestamptz NOT NULL,
    UNIQUE (equipment_id, source_id),
    CONSTRAINT maintenance_schedules_have_an_interval CHECK (every_days IS NOT NULL OR every_hours IS NOT NULL)
);
CREATE TRIGGER maintenance_schedules_stamp_maintenance_write AFTER UPDATE ON maintenance_schedules FOR EACH ROW
    WHEN (new.synced_at IS NOT DISTINCT FROM old.synced_at AND (
         old.job_code, old.title, old.procedure, old.kind, old.every_days, old.every_hours,
         old.tolerance_days, old.responsible_rank, old.class_item_code, old.status
         ) IS DISTINCT FROM (
         new.job_code, new.title, new.procedure, new.kind, new.every_days, new.every_hours,
         new.tolerance_days, new.responsible_rank, new.class_item_code, new.status))
    EXECUTE FUNCTION stamp_maintenance_write_of_equipment();
