-- name: list_users  -- $1 teams (null: all), $2 caller, $3 active, $4 role (null: any), $5 id of the last row before, $6 limit; newest first
SELECT u.*, ARRAY(SELECT m.team_id FROM team_members m WHERE m.user_id = u.id ORDER BY m.team_id) AS teams
FROM users u
WHERE ($3::boolean IS NULL OR u.active = $3) AND ($4::text IS NULL OR u.role = $4) AND ($5::uuid IS NULL OR u.id < $5)
    AND (
        $1::uuid[] IS NULL OR u.id = $2::uuid
        OR EXISTS (SELECT FROM team_members m WHERE m.user_id = u.id AND m.team_id = ANY ($1))
    )
ORDER BY u.id DESC LIMIT $6;

-- name: find_user  -- $1 teams (null: all), $2 caller, $3 user -> the row and `teams`
SELECT u.*, ARRAY(SELECT m.team_id FROM team_members m WHERE m.user_id = u.id ORDER BY m.team_id) AS teams
FROM users u
WHERE u.id = $3 AND (
    $1::uuid[] IS NULL OR u.id = $2::uuid
    OR EXISTS (SELECT FROM team_members m WHERE m.user_id = u.id AND m.team_id = ANY ($1))
);

-- name: one_at_a_time  -- changes of users wait for each other: two that demote each other must not leave no administrator
SELECT pg_advisory_xact_lock(hashtext('change_user'));

-- name: find_active_by_email  -- $1 e-mail -> id, email, name
SELECT id, email, name FROM users WHERE lower(email) = lower($1) AND active;

-- name: find_id  -- $1 e-mail -> id
SELECT id FROM users WHERE lower(email) = lower($1);

-- name: lock_user  -- $1 user -> the row; locked
SELECT * FROM users WHERE id = $1 FOR NO KEY UPDATE;

-- name: insert_user  -- $1 id, $2 email, $3 name, $4 role, $5 phone
INSERT INTO users (id, email, name, role, phone) VALUES ($1, $2, $3, $4, $5);

-- name: update_user  -- $1 user, $2 email, $3 name, $4 role, $5 phone, $6 active
UPDATE users SET email = $2, name = $3, role = $4, phone = $5, active = $6, version = version + 1 WHERE id = $1;

-- name: has_admin  -- -> true while an active user is left who may do all
SELECT EXISTS (SELECT FROM users WHERE role = 'admin' AND active);

-- name: set_password  -- $1 user, $2 hash
UPDATE users SET password_hash = $2, password_changed_at = now(), version = version + 1 WHERE id = $1;

-- name: put_link  -- $1 sha256, $2 user, $3 purpose, $4 expires_at; the newest ends the one before
INSERT INTO user_links (token_sha256, user_id, purpose, expires_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (user_id, purpose) DO UPDATE SET token_sha256 = $1, expires_at = $4, created_at = now();

-- name: find_link  -- $1 sha256 -> user_id, email, name, purpose; no row: unknown, used, expired, or the user is not active
SELECT l.user_id, u.email, u.name, l.purpose FROM user_links l JOIN users u ON u.id = l.user_id
WHERE l.token_sha256 = $1 AND l.expires_at > now() AND u.active;

-- name: take_link  -- $1 sha256 -> user_id, purpose; it is gone then
DELETE FROM user_links l WHERE token_sha256 = $1 AND expires_at > now() RETURNING user_id, purpose;

-- name: delete_links  -- $1 user
DELETE FROM user_links WHERE user_id = $1;

-- name: drop_expired_links  -- those of no use any more
DELETE FROM user_links WHERE expires_at < now();

-- name: has_password  -- -> true when somebody could sign in
SELECT EXISTS (SELECT FROM users WHERE password_hash IS NOT NULL);

-- name: insert_first_admin  -- $1 id, $2 email, $3 name, $4 hash -> id; no row: there is somebody with this address
INSERT INTO users (id, email, name, role, password_hash, password_changed_at) VALUES ($1, $2, $3, 'admin', $4, now())
ON CONFLICT (lower(email)) DO NOTHING
RETURNING id;

-- name: find_told  -- $1 user -> email, role: what an app behind the hub is told of him
SELECT email, role FROM users WHERE id = $1;

-- name: queues_seen  -- $1 teams, $2 caller -> keys of the queues whose conversations he sees, '' (the bot's) first
SELECT ARRAY[''] || ARRAY(SELECT key FROM queues WHERE sees($1, $2, team_id, NULL) ORDER BY key);
