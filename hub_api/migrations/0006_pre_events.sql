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

-- One row per consumer, which knows of which life of which cluster it speaks. `timeline` tells a point-in-time restore or
-- a promotion apart, which keep the system identifier. Events with seq <= floor_seq belong to an earlier life and were
-- settled one by one when this one was adopted. pending_* are the fixed bounds and the time of the batch in flight: a
-- retry sends the same rows, to the last byte.
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
    updated_at timestamptz NOT NULL DEFAULT now(),
    timeline int NOT NULL DEFAULT 1,
    floor_seq bigint NOT NULL DEFAULT 0,
    pending_at timestamptz,
    CHECK (
        (pending_xid IS NULL) = (pending_seq IS NULL)
        AND (pending_xid IS NULL) = (pending_count IS NULL)
        AND (pending_xid IS NULL) = (pending_at IS NULL)
    )
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
