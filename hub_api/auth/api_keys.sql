-- name: find_key  -- $1 sha256 bytea or null, $2 id or null -> id, name, scopes, user_id, expires_in_ms (null: never); no row when unknown, revoked, expired, or its user is not active
-- The time of use is kept to the minute: a write at every request would cost more than the request.
WITH found AS (
    SELECT k.id, k.name, k.scopes, k.user_id, k.last_used_at, k.expires_at
    FROM api_keys k
    WHERE (k.key_sha256 = $1 OR k.id = $2) AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())
        AND NOT EXISTS (SELECT FROM users u WHERE u.id = k.user_id AND NOT u.active)
), used AS (
    UPDATE api_keys k SET last_used_at = now() FROM found
    WHERE k.id = found.id AND (found.last_used_at IS NULL OR found.last_used_at < now() - interval '1 minute')
)
SELECT id, name, scopes, user_id, CASE WHEN expires_at IS NOT NULL THEN greatest(1, ceil(extract(epoch FROM expires_at - now()) * 1000))::bigint END AS expires_in_ms
FROM found;

-- name: keys_of  -- $1 users -> id of their keys that are alive
SELECT id FROM api_keys WHERE user_id = ANY ($1::uuid[]) AND revoked_at IS NULL;

-- name: insert_key  -- $1 id uuid, $2 name, $3 sha256, $4 scopes text[], $5 user_id, $6 expires_at, $7 created_by; the same key again changes nothing
INSERT INTO api_keys (id, name, key_sha256, scopes, user_id, expires_at, created_by)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (key_sha256) DO NOTHING;

-- name: list_keys  -- $1 id of the last row before (null: from the newest), $2 limit; newest first
SELECT id, name, scopes, user_id, created_by, expires_at, revoked_at, last_used_at, created_at
FROM api_keys WHERE $1::uuid IS NULL OR id < $1
ORDER BY id DESC LIMIT $2;

-- name: revoke_key  -- $1 id -> the row
UPDATE api_keys SET revoked_at = coalesce(revoked_at, now()) WHERE id = $1
RETURNING id, name, scopes, user_id, created_by, expires_at, revoked_at, last_used_at, created_at;
