-- name: list_keys  -- -> kid, key_encrypted, signs (it may sign now), published (clients may need it), newest first
-- A key is published until what it signed has expired: an hour after its successor began, and is kept for the hints of a
-- sign-out as long as a session may live.
SELECT kid, key_encrypted, signs_from <= now() AS signs, superseded_at IS NULL OR superseded_at > now() - interval '1 hour' AS published
FROM (
    SELECT kid, key_encrypted, signs_from, lag(signs_from) OVER (ORDER BY signs_from DESC, kid) AS superseded_at FROM openid_keys
) AS key
ORDER BY signs_from DESC, kid;

-- name: lock_keys  -- of several processes that find none, one makes the first
SELECT pg_advisory_xact_lock(hashtext('openid_keys'));

-- name: has_key  -- -> true when there is one
SELECT EXISTS (SELECT FROM openid_keys);

-- name: insert_key  -- $1 kid, $2 the key encrypted, $3 seconds until it signs
INSERT INTO openid_keys (kid, key_encrypted, signs_from) VALUES ($1, $2, now() + make_interval(secs => $3));

-- name: drop_superseded_keys  -- keys of which no token is of use for anything
DELETE FROM openid_keys k
WHERE EXISTS (SELECT FROM openid_keys newer WHERE newer.signs_from > k.signs_from AND newer.signs_from < now() - interval '91 days');
