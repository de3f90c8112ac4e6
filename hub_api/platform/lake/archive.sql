-- Months of `events`. {events} is one month's table, by its name.

-- name: months  -- -> month date, name, attached: the tables of events' months, in order
SELECT to_date(right(c.relname, 6), 'YYYYMM') AS month, c.relname::text AS name, c.relispartition AS attached
FROM pg_class c
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND c.relname ~ '^events_[0-9]{6}$'
ORDER BY month;

-- name: unrelayed  -- $1 cursor -> events of the month that the warehouse does not have for certain
SELECT count(*) FROM {events} AS e
WHERE NOT EXISTS (SELECT FROM relay_cursor c WHERE c.name = $1 AND ((e.xid, e.seq) <= (c.xid, c.seq) OR e.seq <= c.floor_seq));

-- name: fingerprint  -- -> count, hash (numeric as text) of the month's events with every column, in any order
-- The hash is the sum of the first 8 bytes of MD5 as signed integers. Times are as rawevents.SELECT sends them.
SELECT count(*) AS count, coalesce(sum(('x' || left(md5(concat_ws('|',
    id, type, aggregate_type, aggregate_id, aggregate_version,
    (extract(epoch FROM greatest(least(occurred_at, '2299-12-31Z'), '1900-01-01Z')) * 1000000)::bigint,
    (extract(epoch FROM created_at) * 1000000)::bigint, coalesce(trace_id, ''), xid, seq, payload
)), 16))::bit(64)::bigint), 0)::text AS hash
FROM {events};

-- name: record  -- $1 month, $2 events, $3 hash, $4 days date[]
INSERT INTO events_archive (month, events, hash, days) VALUES ($1, $2, $3, $4);

-- name: archived  -- $1 month -> events, hash, days
SELECT events, hash, days FROM events_archive WHERE month = $1;

-- name: mark_returned  -- $1 month
UPDATE events_archive SET returned_at = now() WHERE month = $1;

-- name: forget_returned  -- $1 month -> it; no row when it was not brought back
DELETE FROM events_archive WHERE month = $1 AND returned_at IS NOT NULL RETURNING month;

-- name: list_archived  -- -> every month that has left
SELECT month, events, archived_at, returned_at FROM events_archive ORDER BY month;
