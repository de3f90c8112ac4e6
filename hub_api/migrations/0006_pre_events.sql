-- The outbox of events: written in the transaction of the change, read by one relay in commit-safe order.
SET lock_timeout = '5s';

CREATE TABLE events (
    seq bigint GENERATED ALWAYS AS IDENTITY,
    id uuid NOT NULL,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    type text NOT NULL,
    aggregate_type text NOT NULL,
    aggregate_id uuid NOT NULL,
    aggregate_version bigint NOT NULL,
    occurred_at timestamptz NOT NULL,  -- when it happened in the world (payload time)
    payload jsonb NOT NULL,
    trace_id text,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (seq, created_at)
) PARTITION BY RANGE (created_at);
CREATE TABLE events_default PARTITION OF events DEFAULT;
-- The relay reads below pg_snapshot_xmin in this order: no transaction can still commit before what it has read.
CREATE INDEX events_relay ON events (xid, seq);
CREATE INDEX events_aggregate ON events (aggregate_id, aggregate_version);

-- One row per consumer. pending_* are the fixed bounds of the batch in flight: a retry re-reads exactly those.
CREATE TABLE relay_cursor (
    name text PRIMARY KEY,
    system_identifier bigint NOT NULL,
    xid xid8 NOT NULL,
    seq bigint NOT NULL,
    batch bigint NOT NULL DEFAULT 0,
    pending_xid xid8,
    pending_seq bigint,
    pending_count int,
    relayed_count bigint NOT NULL DEFAULT 0,
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE audit_log (
    id uuid NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    object_type text NOT NULL,
    object_id text,
    detail jsonb NOT NULL DEFAULT '{}',
    trace_id text,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (id, created_at)
) PARTITION BY RANGE (created_at);
CREATE TABLE audit_log_default PARTITION OF audit_log DEFAULT;
