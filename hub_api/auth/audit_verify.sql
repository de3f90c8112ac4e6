-- name: ask  -- $1 id, $2 user or null -> id; no row: one waits or runs already
INSERT INTO audit_verifications (id, requested_by) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING id;

-- name: under_way  -- -> id of the one that waits or runs
SELECT id FROM audit_verifications WHERE finished_at IS NULL;

-- name: take  -- -> id of what waits, or was begun an hour ago by a worker that died; no row: nothing does
UPDATE audit_verifications SET started_at = now()
WHERE finished_at IS NULL AND (started_at IS NULL OR started_at < now() - interval '1 hour') RETURNING id;

-- name: finish  -- $1 id, $2 links, $3 signatures, $4 archived, $5 unsealed, $6 head, $7 other_keys, $8 faults
UPDATE audit_verifications SET finished_at = now(), links = $2, signatures = $3, archived = $4, unsealed = $5, head = $6,
    other_keys = $7, faults = $8
WHERE id = $1;

-- name: keep  -- $1 id, then as finish: a verification of which nobody asked the hub
INSERT INTO audit_verifications (id, started_at, finished_at, links, signatures, archived, unsealed, head, other_keys, faults)
VALUES ($1, now(), now(), $2, $3, $4, $5, $6, $7, $8);

-- name: newest  -- -> the newest, with who asked
SELECT v.*, u.name AS requested_by_name FROM audit_verifications v LEFT JOIN users u ON u.id = v.requested_by
ORDER BY v.requested_at DESC LIMIT 1;
