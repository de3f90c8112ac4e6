-- name: confirmed_batch  -- $1 cursor -> number of the newest batch that is in the warehouse for certain
SELECT batch - (pending_xid IS NOT NULL)::int FROM relay_cursor WHERE name = $1;

-- name: archived_until  -- -> from when on PostgreSQL has its events; null when none has left for the lake
SELECT (max(month) + interval '1 month') AT TIME ZONE 'UTC' FROM events_archive WHERE returned_at IS NULL;

-- name: fingerprint  -- $1 cursor, $2 from, $3 to timestamptz -> count and hash (numeric as text) of the events recorded then and relayed
-- The hash is the sum of the first 8 bytes of MD5(id || payload) as signed integers: order plays no part in it.
SELECT count(*) AS count, coalesce(sum(('x' || left(md5(id::text || payload::text), 16))::bit(64)::bigint), 0)::text AS hash
FROM events, (SELECT xid AS to_xid, seq AS to_seq, floor_seq FROM relay_cursor WHERE name = $1) AS cursor
WHERE created_at >= $2 AND created_at < $3 AND ((xid, seq) <= (to_xid, to_seq) OR seq <= floor_seq);

-- name: fingerprints  -- the same per event: id, hash
SELECT id, ('x' || left(md5(id::text || payload::text), 16))::bit(64)::bigint AS hash
FROM events, (SELECT xid AS to_xid, seq AS to_seq, floor_seq FROM relay_cursor WHERE name = $1) AS cursor
WHERE created_at >= $2 AND created_at < $3 AND ((xid, seq) <= (to_xid, to_seq) OR seq <= floor_seq);

-- name: reserve  -- $1 cursor -> a batch number of our own; no row while the relay has a batch in flight
UPDATE relay_cursor SET batch = batch + 1 WHERE name = $1 AND pending_xid IS NULL RETURNING batch;

-- name: hold  -- $1 cursor, $2 batch -> true; no row when the relay has taken another number since. The row stays locked.
SELECT true FROM relay_cursor WHERE name = $1 AND batch = $2 AND pending_xid IS NULL FOR UPDATE;

-- name: warehouse_fingerprint  -- {from}, {to}, {batch} -> count, hash as text: as `fingerprint`, in ClickHouse
SELECT count(), toString(sum(toInt128(reinterpretAsInt64(reverse(substring(MD5(concat(toString(id), payload)), 1, 8))))))
FROM raw.events
WHERE recorded_at >= {from:DateTime64(6, 'UTC')} AND recorded_at < {to:DateTime64(6, 'UTC')} AND batch <= {batch:UInt64};

-- name: warehouse_fingerprints  -- the same per event: id, hash
SELECT id, reinterpretAsInt64(reverse(substring(MD5(concat(toString(id), payload)), 1, 8)))
FROM raw.events
WHERE recorded_at >= {from:DateTime64(6, 'UTC')} AND recorded_at < {to:DateTime64(6, 'UTC')} AND batch <= {batch:UInt64};
