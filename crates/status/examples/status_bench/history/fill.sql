-- Tables of years: a sync a minute, most of them of a webhook, each with what it leaves behind. Everything follows from numbers,
-- so that two runs measure the same. :syncs and :records are replaced before it runs.

-- Rows are sound by construction; without triggers and foreign keys they come faster.
SET session_replication_role = replica;
SET synchronous_commit = off;

-- An id that sorts by time, as a UUID of version 7 does: of the n-th row of a kind.
CREATE FUNCTION pg_temp.at(n bigint) RETURNS timestamptz LANGUAGE sql STABLE AS
$$ SELECT date_trunc('minute', now()) - (:syncs - n) * interval '1 minute' $$;
CREATE FUNCTION pg_temp.id(kind int, n bigint) RETURNS uuid LANGUAGE sql STABLE AS
$$ SELECT (lpad(to_hex((extract(epoch FROM pg_temp.at(n)) * 1000)::bigint), 12, '0') || '7' || lpad(to_hex(kind), 3, '0')
       || '8000' || lpad(to_hex(n), 12, '0'))::uuid $$;
CREATE FUNCTION pg_temp.trace(n bigint) RETURNS jsonb LANGUAGE sql IMMUTABLE AS
$$ SELECT jsonb_build_object('traceparent', '00-' || md5(n::text) || '-00f067aa0ba902b7-01') $$;
CREATE FUNCTION pg_temp.word(n bigint) RETURNS text LANGUAGE sql IMMUTABLE AS
$$ SELECT (ARRAY['Aurora', 'Borealis', 'Castor', 'Dione', 'Electra', 'Fram', 'Gudrun', 'Halcyon', 'Iduna', 'Juno', 'Kestrel',
       'Lyra', 'Meridian', 'Nereid', 'Orion', 'Pollux', 'Quest', 'Rigel', 'Saga', 'Triton'])[1 + n % 20] $$;

-- The fleet: of 1,000 records 1 company, 10 vessels and 40 users; the rest is equipment.
INSERT INTO companies (id, name, country, source_id, source_updated_at, content_hash, version_at, synced_at, created_at, updated_at)
SELECT pg_temp.id(1, n), pg_temp.word(n) || ' Shipping ' || n, 'NO', 'c-' || n, now(), decode(md5(n::text), 'hex'), now(), now(), now(), now()
FROM generate_series(0, :records / 1000 - 1) n;
INSERT INTO vessels (id, company_id, imo_number, name, flag, vessel_type, service_status, source_id, source_updated_at, content_hash,
    version_at, synced_at, created_at, updated_at)
SELECT pg_temp.id(2, n), pg_temp.id(1, n % (:records / 1000)), (9000000 + n)::text, pg_temp.word(n) || ' ' || n, 'NO', 'bulk_carrier',
    'in_service', 'v-' || n, now(), decode(md5(n::text), 'hex'), now(), now(), now(), now()
FROM generate_series(0, :records / 100 - 1) n;
INSERT INTO users (id, email, given_name, family_name, rank, workplace, role, role_mapping_version, company_id, vessel_scope, active,
    source_id, source_updated_at, content_hash, version_at, synced_at, created_at, updated_at)
SELECT pg_temp.id(3, n), 'user' || n || '@example.com', pg_temp.word(n), 'Nordmann ' || n, 'ab', 'ship', 'crew', 1,
    pg_temp.id(1, n % (:records / 1000)), ARRAY['v-' || n % (:records / 100)], true,
    'u-' || n, now(), decode(md5(n::text), 'hex'), now(), now(), now(), now()
FROM generate_series(0, :records / 25 - 1) n;
INSERT INTO equipment (id, vessel_id, code, unit_number, name, maker, specs, is_critical, is_standby, qr_code, service_status, source_id,
    source_updated_at, content_hash, version_at, synced_at, created_at, updated_at)
SELECT pg_temp.id(4, n), pg_temp.id(2, n % (:records / 100)), 600 + n % 90 || '.' || lpad((n / 90 % 1000)::text, 3, '0'), 1,
    'Circulating pump ' || pg_temp.word(n / 7) || ' ' || n, 'Nordic Pumps AS', '{"powerKw": 75, "speedRpm": 1780}', n % 7 = 0, false,
    'BENCH-' || lpad(n::text, 8, '0'), 'in_service', 'e-' || n,
    now(), decode(md5(n::text), 'hex'), now(), now(), pg_temp.at(0), now()
FROM generate_series(0, :records - :records / 1000 - :records / 100 - :records / 25 - 1) n;

-- Of 1,000 syncs 1 is a full one, 9 are incremental, and the others are of webhooks. 5 of 1,000 fail.
INSERT INTO sync_logs (id, cause, mode, state, phase, requested_by, trace_context, started_at, running_at, heartbeat_at, completed_at,
    failure, published_at)
SELECT pg_temp.id(5, n), CASE WHEN n % 100 = 0 THEN 'scheduled' ELSE 'webhook' END,
    CASE WHEN n % 1000 = 0 THEN 'full' WHEN n % 100 = 0 THEN 'incremental' ELSE 'selective' END,
    CASE WHEN n % 200 = 1 THEN 'failed' WHEN n % 50 = 2 THEN 'completed_with_errors' ELSE 'completed' END,
    2, CASE WHEN n % 100 = 0 THEN 'schedule full-sync' ELSE 'webhook' END, pg_temp.trace(n), at, at, at, at + interval '2 seconds',
    CASE WHEN n % 200 = 1 THEN 'the onboarding portal answered 500' END, at
FROM (SELECT n, pg_temp.at(n) AS at FROM generate_series(0::bigint, :syncs - 1) n) s;
INSERT INTO sync_counts (sync_id, record_type, expected, read, created, unchanged)
SELECT pg_temp.id(5, n), record_type, 100, 100, 1, 99
FROM generate_series(0::bigint, :syncs - 1) n,
    unnest(CASE WHEN n % 100 = 0 THEN ARRAY['company', 'vessel', 'equipment', 'user'] ELSE ARRAY['equipment'] END) record_type;

-- What a webhook's sync is about: a piece of equipment, and of ten syncs once a vessel.
CREATE TEMPORARY TABLE subjects AS
SELECT n, pg_temp.at(n) AS at, pg_temp.id(5, n) AS sync_id, pg_temp.id(6, n) AS event_id,
    CASE WHEN n % 10 = 0 THEN 'vessel' ELSE 'equipment' END AS record_type,
    CASE WHEN n % 10 = 0 THEN 'v-' || n / 10 % (:records / 100) ELSE 'e-' || n % (:records * 9 / 10) END AS source_id,
    CASE WHEN n % 10 = 0 THEN pg_temp.id(2, n / 10 % (:records / 100)) ELSE pg_temp.id(4, n % (:records * 9 / 10)) END AS row_id
FROM generate_series(0::bigint, :syncs - 1) n;
INSERT INTO webhook_events (id, webhook_id, event_type, record_type, source_id, occurred_at, body, key_name, state, trace_context, sync_id,
    received_at, published_at, processed_at)
SELECT event_id, 'msg_' || md5(n::text), record_type || '.updated', record_type, source_id, at,
    convert_to('{"type":"' || record_type || '.updated","schemaVersion":1,"data":{"id":"' || source_id || '"}}', 'UTF8'), 'current', 'processed',
    pg_temp.trace(n), sync_id, at, at, at + interval '2 seconds'
FROM subjects;
INSERT INTO overwritten (sync_id, record_type, row_id, image, written_at)
SELECT sync_id, record_type, row_id, jsonb_build_object('name', 'Before ' || n, 'maker', 'Nordic Pumps AS', 'status', 'active',
    'service_status', 'in_service', 'code', '601.001', 'unit_number', 1), at + interval '1 second'
FROM subjects;
INSERT INTO findings (sync_id, record_type, source_id, label, severity, code, pointer, message, value, found_at)
SELECT sync_id, record_type, source_id, 'Circulating pump ' || n, 'warning', 'maker.unknown', '/maker', 'The maker is not known.',
    'Nordic Pumps AS', at + interval '1 second'
FROM subjects;
INSERT INTO sync_queue (id, sync_id, record_type, chain, page, page_request, state, attempts, handed_on, created_at, updated_at,
    completed_at, published_at)
SELECT pg_temp.id(7, n), sync_id, record_type, 0, 0, '{"limit": 500}', 'done', 1, true, at, at, at + interval '2 seconds', at
FROM subjects WHERE n % 2 = 0;
INSERT INTO attempts (message_id, sync_id, number, class, failure, began_at, duration_ms, next_attempt_at)
SELECT event_id::text, sync_id, 1, 'transient', 'the onboarding portal answered 503', at, 250, at + interval '10 seconds'
FROM subjects WHERE n % 2 = 1;

-- What stands about records, and what waits for somebody: of a hundred records one.
INSERT INTO record_findings (sync_id, record_type, source_id, label, vessel_ids, severity, code, pointer, message, found_at)
SELECT pg_temp.id(5, :syncs - 1 - n), 'equipment', 'e-' || n * 90, 'Circulating pump ' || n * 90, ARRAY['v-' || n * 90 % (:records / 100)],
    'error', 'code.unknown', '/code', 'The SFI code is not known.', now()
FROM generate_series(0, :records / 100 - 1) n;
INSERT INTO conflicts (id, sync_id, record_type, source_id, kind, local_value, source_value, local_at, source_at, winner, opened_at)
SELECT pg_temp.id(8, n), pg_temp.id(5, :syncs - 1 - n), 'equipment', 'e-' || n * 80, 'source_newer', '{"name": "A"}', '{"name": "B"}',
    pg_temp.at(:syncs - 2 - n), pg_temp.at(:syncs - 1 - n), 'source', pg_temp.at(:syncs - 1 - n)
FROM generate_series(0, :records / 100 - 1) n;

-- Analytics as they were counted: hours of 100 days, days of years, and days of single vessels.
CREATE TEMPORARY TABLE measures AS
SELECT 'syncs' AS measure, '' AS record_type, key, 0 AS bucket
FROM unnest(ARRAY['selective/webhook/completed', 'selective/webhook/failed', 'selective/webhook/completed_with_errors',
    'incremental/scheduled/completed', 'full/scheduled/completed']) key
UNION ALL SELECT 'sync_seconds', '', mode, bucket FROM unnest(ARRAY['full', 'incremental', 'selective']) mode, generate_series(40, 55) bucket
UNION ALL SELECT 'records', record_type, outcome, 0
FROM unnest(ARRAY['company', 'vessel', 'equipment', 'user']) record_type, unnest(ARRAY['created', 'updated', 'unchanged', 'rejected']) outcome
UNION ALL SELECT 'lag_seconds', record_type, '', bucket FROM unnest(ARRAY['vessel', 'equipment', 'user']) record_type, generate_series(30, 50) bucket
UNION ALL SELECT 'findings', record_type, 'code-' || n, 0 FROM unnest(ARRAY['vessel', 'equipment', 'user']) record_type, generate_series(1, 6) n
UNION ALL SELECT 'attempts', '', class, 0 FROM unnest(ARRAY['transient', 'permanent']) class;
INSERT INTO analytics (width, starts_at, measure, record_type, vessel_id, key, bucket, count)
SELECT width, starts_at, measure, record_type, '', key, bucket, 7
FROM (SELECT 'hour' AS width, date_trunc('hour', now(), 'UTC') - n * interval '1 hour' AS starts_at FROM generate_series(0, 2399) n
      UNION ALL SELECT 'day', date_trunc('day', now(), 'UTC') - n * interval '1 day' FROM generate_series(0, 1094) n) AS windows, measures;
INSERT INTO analytics (width, starts_at, measure, record_type, vessel_id, key, bucket, count)
SELECT 'day', date_trunc('day', now(), 'UTC') - day * interval '1 day', 'lag_seconds', 'equipment', 'v-' || vessel, '', 40, 3
FROM generate_series(0, 399) day, generate_series(0, :records / 100 - 1) vessel;
INSERT INTO analytics_progress (counted_until) VALUES (now());

DROP TABLE subjects, measures;
