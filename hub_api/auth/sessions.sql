-- name: insert_session  -- $1 id, $2 user, $3 transport, $4 factors, $5 address, $6 user agent, $7 expires_at
INSERT INTO sessions (id, user_id, transport, factors, address, user_agent, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: insert_refresh  -- $1 sha256, $2 session, $3 expires_at (never past the session's)
INSERT INTO refresh_tokens (token_sha256, session_id, expires_at)
SELECT $1, $2, least($3, expires_at) FROM sessions WHERE id = $2;

-- name: lock_refresh  -- $1 sha256 -> session_id, user_id, transport, active, revoked_at, used_at, expired; the session locked
-- Of two requests with one token the second waits here and then finds it used.
SELECT r.session_id, s.user_id, s.transport, u.active, s.revoked_at, r.used_at,
    (r.expires_at < now() OR s.expires_at < now()) AS expired
FROM refresh_tokens r JOIN sessions s ON s.id = r.session_id JOIN users u ON u.id = s.user_id
WHERE r.token_sha256 = $1
FOR NO KEY UPDATE OF r, s;

-- name: use_refresh  -- $1 sha256
UPDATE refresh_tokens SET used_at = now() WHERE token_sha256 = $1;

-- name: touch_session  -- $1 session, $2 address
UPDATE sessions SET last_used_at = now(), address = coalesce($2, address) WHERE id = $1;

-- name: revoke_sessions  -- $1 ids, $2 reason -> id, user_id of those that were alive
UPDATE sessions SET revoked_at = now(), revoked_reason = $2
WHERE id = ANY ($1::uuid[]) AND revoked_at IS NULL
RETURNING id, user_id;

-- name: list_sessions  -- $1 user -> the sessions that are alive, newest first
SELECT id, transport, factors, address, user_agent, last_used_at, expires_at, created_at
FROM sessions WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > now()
ORDER BY created_at DESC, id;

-- name: sessions_of  -- $1 users -> id of their sessions that are alive
SELECT id FROM sessions WHERE user_id = ANY ($1::uuid[]) AND revoked_at IS NULL AND expires_at > now();

-- name: find_session  -- $1 session -> what its user may do now; no row: ended, or the user is not active
SELECT s.id AS session_id, u.id AS user_id, u.name, u.role, r.builtin, r.permissions, r.all_teams,
    r.second_factor AS wants_second_factor,
    u.second_factor_at IS NOT NULL OR 'oidc_mfa' = ANY (s.factors) AS has_second_factor,
    ARRAY(SELECT m.team_id FROM team_members m WHERE m.user_id = u.id) AS teams
FROM sessions s JOIN users u ON u.id = s.user_id JOIN roles r ON r.name = u.role
WHERE s.id = $1 AND s.revoked_at IS NULL AND s.expires_at > now() AND u.active;

-- name: find_sessions  -- $1 sessions -> as find_session, those that are alive
SELECT s.id AS session_id, u.id AS user_id, u.name, u.role, r.builtin, r.permissions, r.all_teams,
    r.second_factor AS wants_second_factor,
    u.second_factor_at IS NOT NULL OR 'oidc_mfa' = ANY (s.factors) AS has_second_factor,
    ARRAY(SELECT m.team_id FROM team_members m WHERE m.user_id = u.id) AS teams
FROM sessions s JOIN users u ON u.id = s.user_id JOIN roles r ON r.name = u.role
WHERE s.id = ANY ($1::uuid[]) AND s.revoked_at IS NULL AND s.expires_at > now() AND u.active;

-- name: find_user_principal  -- $1 user -> as find_session, without a session
SELECT NULL::uuid AS session_id, u.id AS user_id, u.name, u.role, r.builtin, r.permissions, r.all_teams,
    r.second_factor AS wants_second_factor, u.second_factor_at IS NOT NULL AS has_second_factor,
    ARRAY(SELECT m.team_id FROM team_members m WHERE m.user_id = u.id) AS teams
FROM users u JOIN roles r ON r.name = u.role
WHERE u.id = $1 AND u.active;

-- name: drop_ended_sessions  -- $1 before timestamptz: their refresh tokens go with them
DELETE FROM sessions WHERE expires_at < $1 OR revoked_at < $1;
