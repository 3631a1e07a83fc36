-- The audit log is a chain: each row holds the hash of its predecessor and its own, and `audit_chain` holds both ends.
-- Whoever changes, inserts or deletes rows behind the triggers' back breaks it; `sms-sync audit verify` says where.
--
-- The rows of a transaction join the chain at its commit, by a deferred trigger: the lock on the chain's end is the last one
-- that the transaction takes, so it waits for nobody while it holds it, and rows of transactions that were rolled back leave no
-- gap. The functions run as their owner, so that a role that may only INSERT into `audit` can append.
ALTER TABLE audit
    ADD COLUMN trace_id text,
    ADD COLUMN request_id text,
    ADD COLUMN position bigint,
    ADD COLUMN previous_hash bytea,
    ADD COLUMN hash bytea;
-- The request of a row, as the transaction was told. Rows until now have none.
ALTER TABLE audit
    ALTER COLUMN trace_id SET DEFAULT nullif(current_setting('sms.trace_id', true), ''),
    ALTER COLUMN request_id SET DEFAULT nullif(current_setting('sms.request_id', true), '');

CREATE TABLE audit_chain (
    only_row        boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    -- The newest row.
    position        bigint NOT NULL,
    hash            bytea NOT NULL,
    -- The newest row that was purged: the oldest that is left follows it.
    anchor_position bigint NOT NULL,
    anchor_hash     bytea NOT NULL,
    CHECK (anchor_position <= position)
);
INSERT INTO audit_chain (position, hash, anchor_position, anchor_hash)
VALUES (0, decode(repeat('00', 32), 'hex'), 0, decode(repeat('00', 32), 'hex'));

-- A text with its length, so that two texts never read as two others.
CREATE FUNCTION audit_part(part text) RETURNS bytea IMMUTABLE LANGUAGE sql AS
$$ SELECT CASE WHEN part IS NULL THEN int4send(-1) ELSE int4send(octet_length(part)) || convert_to(part, 'UTF8') END $$;

-- The hash of a row: SHA-256 of its predecessor's hash and its columns. `sms-sync audit verify` computes the same by itself.
CREATE FUNCTION audit_hash(previous bytea, entry audit) RETURNS bytea STABLE LANGUAGE sql AS
$$ SELECT sha256(previous || audit_part(entry.id::text)
    || audit_part(to_char(entry.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
    || audit_part(entry.actor) || audit_part(entry.action) || audit_part(entry.subject) || audit_part(entry.detail::text)
    || audit_part(entry.trace_id) || audit_part(entry.request_id)) $$;

CREATE FUNCTION audit_append_to_chain() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    chain audit_chain;
    entry audit;
    entry_hash bytea;
BEGIN
    SELECT * INTO STRICT chain FROM audit_chain FOR UPDATE;
    SELECT * INTO STRICT entry FROM audit WHERE id = new.id;
    entry_hash := audit_hash(chain.hash, entry);
    UPDATE audit SET position = chain.position + 1, previous_hash = chain.hash, hash = entry_hash WHERE id = new.id;
    UPDATE audit_chain SET position = chain.position + 1, hash = entry_hash;
    RETURN NULL;
END $$;

-- A new row has no place in the chain yet, whatever the statement says.
CREATE FUNCTION audit_row_is_new() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN
    new.position := NULL;
    new.previous_hash := NULL;
    new.hash := NULL;
    RETURN new;
END $$;

-- The one update is that by which a row joins the chain; rows at or before the anchor may be deleted.
CREATE OR REPLACE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND old.hash IS NULL AND new.hash IS NOT NULL
       AND to_jsonb(old) - '{position,previous_hash,hash}'::text[] = to_jsonb(new) - '{position,previous_hash,hash}'::text[] THEN
        RETURN new;
    END IF;
    IF TG_OP = 'DELETE' AND old.position <= (SELECT anchor_position FROM audit_chain) THEN
        RETURN old;
    END IF;
    RAISE EXCEPTION 'audit is append-only';
END $$;
CREATE FUNCTION audit_is_not_truncated() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'audit is append-only'; END $$;

-- Deletes the oldest rows before a time, at most `batch`, and keeps the hash of the last one as the chain's anchor.
CREATE FUNCTION audit_purge(before timestamptz, batch bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    chain audit_chain;
    last audit;
    purged bigint;
BEGIN
    SELECT * INTO STRICT chain FROM audit_chain FOR UPDATE;
    -- Only from the old end on: a row whose time is later keeps those after it.
    SELECT a.* INTO last FROM audit a
    WHERE a.position > chain.anchor_position
      AND a.position <= chain.anchor_position + batch
      AND a.position < coalesce((SELECT min(kept.position) FROM audit kept
          WHERE kept.position > chain.anchor_position AND kept.position <= chain.anchor_position + batch
            AND kept.at >= before), chain.position + 1)
    ORDER BY a.position DESC LIMIT 1;
    IF last.position IS NULL THEN
        RETURN 0;
    END IF;
    UPDATE audit_chain SET anchor_position = last.position, anchor_hash = last.hash;
    DELETE FROM audit WHERE position <= last.position;
    GET DIAGNOSTICS purged = ROW_COUNT;
    RETURN purged;
END $$;
REVOKE EXECUTE ON FUNCTION audit_purge(timestamptz, bigint) FROM PUBLIC;

-- The tables are those of the schema that this migration works on, whatever the caller's search_path says.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['audit_append_to_chain()', 'audit_purge(timestamptz, bigint)', 'audit_is_append_only()'] LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', name, current_schema());
    END LOOP;
END $$;
ALTER FUNCTION audit_is_append_only() SECURITY DEFINER;

-- What is there already joins the chain in the order of its ids.
DROP TRIGGER audit_is_append_only ON audit;
DO $$
DECLARE
    entry audit;
    place bigint := 0;
    previous bytea := decode(repeat('00', 32), 'hex');
    entry_hash bytea;
BEGIN
    FOR entry IN SELECT * FROM audit ORDER BY id LOOP
        place := place + 1;
        entry_hash := audit_hash(previous, entry);
        UPDATE audit SET position = place, previous_hash = previous, hash = entry_hash WHERE id = entry.id;
        previous := entry_hash;
    END LOOP;
    UPDATE audit_chain SET position = place, hash = previous;
END $$;
CREATE UNIQUE INDEX audit_by_position ON audit (position);

CREATE TRIGGER audit_is_append_only BEFORE UPDATE OR DELETE ON audit
    FOR EACH ROW EXECUTE FUNCTION audit_is_append_only();
CREATE TRIGGER audit_is_not_truncated BEFORE TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_not_truncated();
CREATE TRIGGER audit_chain_is_not_truncated BEFORE TRUNCATE ON audit_chain
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_not_truncated();
CREATE TRIGGER audit_row_is_new BEFORE INSERT ON audit
    FOR EACH ROW EXECUTE FUNCTION audit_row_is_new();
CREATE CONSTRAINT TRIGGER audit_append_to_chain AFTER INSERT ON audit
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_append_to_chain();
