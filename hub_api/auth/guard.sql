-- name: is_known_device  -- $1 sha256, $2 e-mail -> true
SELECT true FROM known_devices d JOIN users u ON u.id = d.user_id
WHERE d.token_sha256 = $1 AND lower(u.email) = lower($2) AND d.expires_at > now();

-- name: insert_device  -- $1 sha256, $2 user, $3 expires_at
INSERT INTO known_devices (token_sha256, user_id, expires_at) VALUES ($1, $2, $3);

-- name: delete_devices  -- $1 user
DELETE FROM known_devices WHERE user_id = $1;

-- name: drop_expired_devices  -- those of no use any more
DELETE FROM known_devices WHERE expires_at < now();
