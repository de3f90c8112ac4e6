-- name: try_lock  -- $1 key bigint -> true when this session is the one relay now
SELECT pg_try_advisory_lock($1);

-- name: cluster  -- -> system_identifier, timeline: which life of which cluster this is
-- The control file names the timeline only after the first checkpoint of a promotion; the WAL's own name has it at once.
SELECT system_identifier, ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int AS timeline
FROM pg_control_system();

-- name: ensure_cursor  -- $1 name, $2 system_identifier, $3 timeline, $4 newest batch in the warehouse
INSERT INTO relay_cursor (name, system_identifier, timeline, xid, seq, batch) VALUES ($1, $2, $3, '0', 0, $4)
ON CONFLICT (name) DO NOTHING;

-- name: cursor  -- $1 name -> the cursor; xid8 as bigint
SELECT name, system_identifier, timeline, xid::text::bigint AS xid, seq, floor_seq, batch, relayed_count,
    pending_xid::text::bigint AS pending_xid, pending_seq, pending_count, pending_at, updated_at
FROM relay_cursor WHERE name = $1;

-- name: fix_batch  -- $1 name, $2 xid bigint and $3 seq of the cursor, $4 floor_seq, $5 limit -> bounds of the next batch; no row when nothing waits
-- Below pg_snapshot_xmin no transaction is still running: what is visible there now is all there will ever be. The
-- bounds are committed before anything is inserted, so that a retry, by whomever, sends exactly these rows again.
UPDATE relay_cursor AS cursor
SET pending_xid = batch.xid, pending_seq = batch.seq, pending_count = batch.count, pending_at = now(),
    batch = cursor.batch + 1, updated_at = now()
FROM (
    SELECT count(*) AS count, (array_agg(xid))[count(*)] AS xid, (array_agg(seq))[count(*)] AS seq, min(created_at) AS oldest
    FROM (
        SELECT xid, seq, created_at FROM events
        WHERE (xid, seq) > ($2::bigint::text::xid8, $3) AND xid < pg_snapshot_xmin(pg_current_snapshot()) AND seq > $4
        ORDER BY xid, seq LIMIT $5
    ) AS waiting
) AS batch
WHERE cursor.name = $1 AND cursor.pending_xid IS NULL AND batch.count > 0
RETURNING cursor.batch, batch.xid::text::bigint AS xid, batch.seq, batch.count::int AS count, cursor.pending_at AS fixed_at,
    extract(epoch FROM now() - batch.oldest)::float8 AS age_s;

-- name: advance  -- $1 name, $2 batch -> one row; none when the cursor was moved by somebody else
UPDATE relay_cursor
SET xid = pending_xid, seq = pending_seq, relayed_count = relayed_count + pending_count, updated_at = now(),
    pending_xid = NULL, pending_seq = NULL, pending_count = NULL, pending_at = NULL
WHERE name = $1 AND batch = $2 AND pending_xid IS NOT NULL
RETURNING true;

-- name: newest_waiting  -- $1 xid bigint and $2 seq of the cursor, $3 floor_seq -> (xid, seq) of the last committed event beyond the cursor; no row when there is none
SELECT xid::text::bigint AS xid, seq FROM events
WHERE (xid, seq) > ($1::bigint::text::xid8, $2) AND seq > $3
ORDER BY events.xid DESC, seq DESC LIMIT 1;

-- name: horizon_age  -- -> seconds since the oldest transaction that holds pg_snapshot_xmin back began; 0 when none does
-- All databases of the server count: transaction ids are shared.
SELECT coalesce(extract(epoch FROM now() - least(
    (SELECT min(xact_start) FROM pg_stat_activity WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid()),
    (SELECT min(prepared) FROM pg_prepared_xacts)
)), 0)::float8;

-- name: lock_events  -- waits for every transaction that has written an event, and holds new ones off until commit
LOCK TABLE events IN SHARE ROW EXCLUSIVE MODE;

-- name: horizon  -- -> floor_seq: no event has a higher number yet; xid: every transaction still to write events is at or above it
SELECT coalesce((SELECT last_value FROM pg_sequences WHERE schemaname = current_schema() AND sequencename = 'events_seq_seq'), 0) AS floor_seq,
    pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS xid;

-- name: events_after  -- $1 seq, $2 floor_seq, $3 limit -> the next events in the order of their numbers
SELECT id, seq, created_at FROM events WHERE seq > $1 AND seq <= $2 ORDER BY seq LIMIT $3;

-- name: restamp  -- $1 seqs bigint[], $2 created_at timestamptz[] of events the warehouse lacks; -> how many were written anew
-- They are written again with new numbers in their old order and with this transaction's id, as if they had just happened.
WITH lacking AS (
    DELETE FROM events USING unnest($1::bigint[], $2::timestamptz[]) AS given (seq, created_at)
    WHERE events.seq = given.seq AND events.created_at = given.created_at
    RETURNING events.*
), written AS (
    INSERT INTO events (id, type, aggregate_type, aggregate_id, aggregate_version, occurred_at, payload, trace_id, created_at)
    SELECT id, type, aggregate_type, aggregate_id, aggregate_version, occurred_at, payload, trace_id, created_at
    FROM lacking ORDER BY seq
    RETURNING seq
)
SELECT count(*) FROM written;

-- name: adopt  -- $1 name, $2 system_identifier, $3 timeline, $4 xid bigint, $5 floor_seq, $6 newest batch in the warehouse
UPDATE relay_cursor
SET system_identifier = $2, timeline = $3, xid = $4::bigint::text::xid8, seq = 0, floor_seq = $5,
    batch = greatest(batch, $6), updated_at = now(),
    pending_xid = NULL, pending_seq = NULL, pending_count = NULL, pending_at = NULL
WHERE name = $1;

-- name: end_relay_sessions  -- $1 the relay's lock -> how many sessions that hold it were told to end
SELECT count(pg_terminate_backend(pid)) FROM pg_locks
WHERE locktype = 'advisory' AND granted AND pid <> pg_backend_pid() AND objsubid = 1
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND (classid::bigint << 32 | objid::bigint) = $1;
