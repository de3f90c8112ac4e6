-- The audit log is append-only, and one sealer links its rows into a hash chain whose head is signed.
SET lock_timeout = '5s';

-- Rows that the sealer has not linked yet: a mark made by the row's own insertion and taken away with the link. An id
-- cursor would skip rows of a transaction that commits late.
CREATE TABLE audit_unsealed (
    audit_id uuid PRIMARY KEY,
    audit_created_at timestamptz NOT NULL
);

-- One link a row, in the order of sealing. `hash` is SHA-256 of the link before it and of the row's content; positions
-- have no gap, so that a link taken out is missed. It holds nothing personal and outlives the row's retention.
CREATE TABLE audit_chain (
    position bigint PRIMARY KEY CHECK (position > 0),
    audit_id uuid NOT NULL UNIQUE,
    audit_created_at timestamptz NOT NULL,
    hash bytea NOT NULL CHECK (octet_length(hash) = 32)
);

-- Keys that signed: Ed25519 public keys. The private one is derived from HUB_SECRET_KEY and never stored.
CREATE TABLE audit_keys (
    key_id text PRIMARY KEY,
    public_key bytea NOT NULL CHECK (octet_length(public_key) = 32),
    created_at timestamptz NOT NULL DEFAULT now()
);

-- The chain's head after each run of the sealer, signed.
CREATE TABLE audit_seals (
    position bigint PRIMARY KEY REFERENCES audit_chain,
    hash bytea NOT NULL CHECK (octet_length(hash) = 32),
    key_id text NOT NULL REFERENCES audit_keys,
    signature bytea NOT NULL CHECK (octet_length(signature) = 64),
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE FUNCTION mark_unsealed() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO audit_unsealed SELECT NEW.id, NEW.created_at
    WHERE NOT EXISTS (SELECT FROM audit_chain c WHERE c.audit_id = NEW.id); -- a linked row that only changed its partition
    RETURN NULL;
END
$$;
CREATE TRIGGER unsealed AFTER INSERT ON audit_log FOR EACH ROW EXECUTE FUNCTION mark_unsealed();

-- Nothing in the log, its chain or its seals is changed or deleted; retention detaches whole months instead. Rows leave the
-- DEFAULT partition when ensure_partitions makes their month: the chain would miss any other that left it.
CREATE FUNCTION refuse_change() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    IF TG_OP = 'DELETE' AND TG_TABLE_NAME = 'audit_log_default' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit_log FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit_chain FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit_seals FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit_keys FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- What was written before this file ran is sealed first.
INSERT INTO audit_unsealed SELECT id, created_at FROM audit_log;
CREATE INDEX audit_log_trace ON audit_log (trace_id) WHERE trace_id IS NOT NULL;

-- A row as its hash sees it: every column, times as microseconds (their text depends on the session's zone), in jsonb's
-- canonical form.
CREATE FUNCTION audit_content(a audit_log) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT jsonb_build_object(
        'id', a.id, 'at', (extract(epoch FROM a.created_at) * 1000000)::bigint, 'actor', a.actor, 'action', a.action,
        'object_type', a.object_type, 'object_id', a.object_id, 'detail', a.detail, 'before', a.before, 'after', a.after,
        'address', a.address, 'trace_id', a.trace_id
    )::text
$$;
