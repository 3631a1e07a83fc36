ALTER INDEX equipment_name_part SET (gin_pending_list_limit = 512);
DROP INDEX companies_by_status, vessels_by_status, equipment_by_status, users_by_status;
CREATE INDEX companies_by_status ON companies (status, source_id);
CREATE INDEX vessels_by_status ON vessels (status, source_id);
CREATE INDEX equipment_by_status ON equipment (status, source_id);
CREATE INDEX users_by_status ON users (status, source_id);
DO $$
DECLARE
    pair text[];
BEGIN
    FOREACH pair SLICE 1 IN ARRAY ARRAY[
        ['companies', 'source_id'], ['vessels', 'source_id'], ['equipment', 'source_id'], ['users', 'source_id'],
        ['equipment', 'qr_code']
    ] LOOP
        EXECUTE format('DROP INDEX %I', pair[1] || '_' || pair[2] || '_key');
        EXECUTE format('ALTER TABLE %I ADD UNIQUE (%I)', pair[1], pair[2]);
        EXECUTE format('CREATE INDEX %I ON %I (%I text_pattern_ops)',
            pair[1] || '_' || pair[2] || '_prefix', pair[1], pair[2]);
    END LOOP;
END $$;
