-- Keyed hashes of what was erased.

-- name: any_erased  -- -> whether anybody was ever erased: most hubs need no hash at all
SELECT EXISTS (SELECT FROM erasure_tombstones);

-- name: find  -- $1 hashes bytea[] -> key_hash, kind, erased_at of those that are there
SELECT key_hash, kind, erased_at FROM erasure_tombstones WHERE key_hash = ANY($1::bytea[]);

-- name: bury  -- $1 hashes, $2 kinds, $3 erasure, $4 erased_at; who is erased a second time keeps the later time
INSERT INTO erasure_tombstones (key_hash, kind, erasure_id, erased_at)
SELECT hash, kind, $3, $4 FROM unnest($1::bytea[], $2::text[]) AS row (hash, kind)
ON CONFLICT (key_hash) DO UPDATE SET erasure_id = excluded.erasure_id, erased_at = excluded.erased_at
WHERE erasure_tombstones.erased_at < excluded.erased_at;

-- name: of_erasure  -- $1 erasure -> key_hash, kind
SELECT key_hash, kind FROM erasure_tombstones WHERE erasure_id = $1;
