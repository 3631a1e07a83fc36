-- A role for each service, with what it needs and no more. The owner of the tables, who migrates, is apart from them. Roles
-- belong to the whole server: they are made without a login where they are missing, and whoever runs the server gives them one.
-- A user who may not make roles leaves out those that are missing; services then run as the owner.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['sms_webhook_ingest', 'sms_scheduler', 'sms_worker', 'sms_status'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', name);
            EXCEPTION
                WHEN duplicate_object OR unique_violation THEN NULL; -- another database's migration was faster
                WHEN insufficient_privilege THEN RAISE WARNING 'the role % is not made: no right to', name;
            END;
        END IF;
    END LOOP;
END $$;

-- A later migration that makes a table calls this for each service that needs it.
CREATE FUNCTION grant_to_service(service text, privileges text, VARIADIC tables text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    name text;
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = service) THEN
        FOREACH name IN ARRAY tables LOOP
            EXECUTE format('GRANT %s ON %I TO %I', privileges, name, service);
        END LOOP;
    END IF;
END $$;
REVOKE ALL ON FUNCTION grant_to_service FROM PUBLIC;

DO $$
DECLARE
    -- What is synced.
    records text[] := ARRAY['companies', 'vessels', 'equipment', 'users', 'critical_parts', 'maintenance_schedules'];
    -- What is known of syncs and messages.
    ledger text[] := ARRAY['sync_logs', 'sync_counts', 'sync_companies_seen', 'sync_queue', 'sync_seen', 'sync_missing',
        'sync_changes', 'attempts', 'findings', 'record_findings', 'conflicts', 'overwritten', 'undos', 'undo_items',
        'dead_letters', 'replay_jobs', 'replay_items', 'postponed_messages', 'peer_outcomes', 'circuits'];
    -- What operators decide.
    settings text[] := ARRAY['settings', 'schedules', 'conflict_policies', 'role_mappings', 'role_mapping_current'];
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['sms_webhook_ingest', 'sms_scheduler', 'sms_worker', 'sms_status'] LOOP
        PERFORM grant_to_service(name, 'SELECT', '__diesel_schema_migrations');
    END LOOP;

    -- The one that the internet reaches: it writes webhooks down, and what it refused.
    PERFORM grant_to_service('sms_webhook_ingest', 'SELECT, INSERT, UPDATE', 'webhook_events');
    PERFORM grant_to_service('sms_webhook_ingest', 'SELECT, INSERT, UPDATE, DELETE', 'refused_webhooks');

    PERFORM grant_to_service('sms_scheduler', 'SELECT, INSERT, UPDATE, DELETE', VARIADIC ledger);
    PERFORM grant_to_service('sms_scheduler', 'SELECT, UPDATE, DELETE', 'webhook_events');
    PERFORM grant_to_service('sms_scheduler', 'SELECT, INSERT, UPDATE, DELETE', 'schedule_ticks');
    PERFORM grant_to_service('sms_scheduler', 'SELECT', VARIADIC settings);
    PERFORM grant_to_service('sms_scheduler', 'SELECT, UPDATE', 'vessels', 'equipment', 'users');

    PERFORM grant_to_service('sms_worker', 'SELECT, INSERT, UPDATE, DELETE', VARIADIC records || ledger);
    PERFORM grant_to_service('sms_worker', 'SELECT, UPDATE', 'webhook_events');
    PERFORM grant_to_service('sms_worker', 'SELECT', VARIADIC settings);
    -- The right to lock the row, so that no user gets a role by a mapping that was just replaced. `id` is always true.
    PERFORM grant_to_service('sms_worker', 'UPDATE (id)', 'role_mapping_current');

    PERFORM grant_to_service('sms_status', 'SELECT, INSERT, UPDATE, DELETE', VARIADIC records || ledger || settings);
    PERFORM grant_to_service('sms_status', 'SELECT, UPDATE', 'webhook_events');
    PERFORM grant_to_service('sms_status', 'SELECT', 'refused_webhooks', 'schedule_ticks', 'user_access');
    PERFORM grant_to_service('sms_status', 'SELECT, INSERT', 'audit');
    -- A second revocation replaces the first, and those of tokens that have expired go.
    PERFORM grant_to_service('sms_status', 'SELECT, INSERT, UPDATE, DELETE', 'token_revocations');
END $$;
