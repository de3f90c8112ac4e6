-- name: list_keys  -- -> kid, key_encrypted of the keys whose tokens may still live, newest first
-- A key signs for a minute after its successor was made, in processes that have not looked yet.
SELECT kid, key_encrypted FROM (
    SELECT kid, key_encrypted, created_at, lag(created_at) OVER (ORDER BY created_at DESC, kid) AS superseded_at FROM signing_keys
) AS key
WHERE superseded_at IS NULL OR superseded_at > now() - interval '1 hour'
ORDER BY created_at DESC, kid;

-- name: insert_key  -- $1 kid, $2 algorithm, $3 the key encrypted
INSERT INTO signing_keys (kid, algorithm, key_encrypted) VALUES ($1, $2, $3);

-- name: drop_superseded_keys  -- keys whose tokens have all expired
DELETE FROM signing_keys k
WHERE EXISTS (SELECT FROM signing_keys newer WHERE newer.created_at > k.created_at AND newer.created_at < now() - interval '1 day');
