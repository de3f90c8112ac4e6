-- name: find_key  -- $1 sha256 bytea -> id, name, scopes, user_id; no row when unknown, revoked or expired
SELECT id, name, scopes, user_id
FROM api_keys
WHERE key_sha256 = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now());

-- name: insert_key  -- $1 id uuid, $2 name, $3 sha256, $4 scopes text[], $5 user_id uuid; the same key again changes nothing
INSERT INTO api_keys (id, name, key_sha256, scopes, user_id)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (key_sha256) DO NOTHING;
