-- The chain of the audit log: linked by the sealer, walked by who verifies it.

-- name: lock_sealer  -- one sealer at a time: the chain has one end
SELECT pg_try_advisory_xact_lock(7215021);

-- name: take_unsealed  -- $1 limit -> id, created_at, content in the order of their time; their mark is gone when the transaction commits
WITH taken AS (
    DELETE FROM audit_unsealed WHERE audit_id IN (
        SELECT audit_id FROM audit_unsealed ORDER BY audit_created_at, audit_id LIMIT $1
    ) RETURNING audit_id, audit_created_at
)
SELECT a.id, a.created_at, audit_content(a) AS content
FROM taken JOIN audit_log a ON a.id = taken.audit_id AND a.created_at = taken.audit_created_at
ORDER BY a.created_at, a.id;

-- name: head  -- -> position, hash of the last link; no row for an empty chain
SELECT position, hash FROM audit_chain ORDER BY position DESC LIMIT 1;

-- name: insert_links  -- $1 positions, $2 ids, $3 times, $4 hashes
INSERT INTO audit_chain SELECT * FROM unnest($1::bigint[], $2::uuid[], $3::timestamptz[], $4::bytea[]);

-- name: insert_key  -- $1 key_id, $2 public key; known ones stay
INSERT INTO audit_keys (key_id, public_key) VALUES ($1, $2) ON CONFLICT DO NOTHING;

-- name: insert_seal  -- $1 position, $2 hash, $3 key_id, $4 signature
INSERT INTO audit_seals (position, hash, key_id, signature) VALUES ($1, $2, $3, $4);

-- name: links  -- $1 after position, $2 limit -> position, hash, audit_id, and content of the row (null: it is not there), in order
SELECT c.position, c.hash, c.audit_id, c.audit_created_at, CASE WHEN a.id IS NOT NULL THEN audit_content(a) END AS content
FROM (SELECT * FROM audit_chain WHERE position > $1 ORDER BY position LIMIT $2) AS c
LEFT JOIN audit_log a ON a.id = c.audit_id AND a.created_at = c.audit_created_at
ORDER BY c.position;

-- name: months  -- -> months (first days) of which the log still has its rows
SELECT to_date(right(c.relname, 6), 'YYYYMM') AS month
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'audit_log'::regclass AND c.relname ~ '_[0-9]{6}$';

-- name: seals  -- -> position, hash, key_id, signature, public_key in order
SELECT s.position, s.hash, s.key_id, s.signature, k.public_key
FROM audit_seals s JOIN audit_keys k USING (key_id) ORDER BY s.position;

-- name: unlinked  -- -> ids of rows with neither link nor mark: they came past the triggers
SELECT a.id FROM audit_log a
WHERE NOT EXISTS (SELECT FROM audit_chain c WHERE c.audit_id = a.id)
    AND NOT EXISTS (SELECT FROM audit_unsealed u WHERE u.audit_id = a.id)
ORDER BY a.created_at LIMIT 20;

-- name: count_unsealed  -- -> rows that wait for the sealer
SELECT count(*) FROM audit_unsealed;
