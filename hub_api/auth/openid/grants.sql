-- name: insert_grant  -- $1 id, $2 client, $3 session, $4 sha256 of the code, $5 code_challenge, $6 redirect_uri, $7 scope, $8 nonce, $9 code_expires_at
INSERT INTO openid_grants (id, client_id, session_id, code_sha256, code_challenge, redirect_uri, scope, nonce, code_expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9);

-- name: lock_code  -- $1 sha256, $2 client -> the grant and `expired`; locked. Of two requests with one code the second finds it used
SELECT *, code_expires_at < now() AS expired FROM openid_grants WHERE code_sha256 = $1 AND client_id = $2 FOR NO KEY UPDATE;

-- name: use_code  -- $1 grant
UPDATE openid_grants SET code_used_at = now() WHERE id = $1;

-- name: lock_refresh  -- $1 sha256, $2 client -> the grant, `used_at` and `expired` of the refresh token; locked
SELECT g.*, t.used_at, t.expires_at < now() AS expired
FROM openid_tokens t JOIN openid_grants g ON g.id = t.grant_id
WHERE t.token_sha256 = $1 AND t.kind = 'refresh' AND g.client_id = $2
FOR NO KEY UPDATE;

-- name: use_refresh  -- $1 sha256
UPDATE openid_tokens SET used_at = now() WHERE token_sha256 = $1;

-- name: insert_token  -- $1 sha256, $2 grant, $3 kind, $4 expires_at
INSERT INTO openid_tokens (token_sha256, grant_id, kind, expires_at) VALUES ($1, $2, $3, $4);

-- name: find_access  -- $1 sha256 -> the grant and the client's permission; no row: unknown, expired or revoked
SELECT g.id, g.client_id, g.session_id, g.scope, c.permission
FROM openid_tokens t JOIN openid_grants g ON g.id = t.grant_id JOIN openid_clients c ON c.id = g.client_id
WHERE t.token_sha256 = $1 AND t.kind = 'access' AND t.expires_at > now() AND g.revoked_at IS NULL;

-- name: find_token  -- $1 sha256, $2 client -> grant_id of a token of either kind
SELECT t.grant_id FROM openid_tokens t JOIN openid_grants g ON g.id = t.grant_id WHERE t.token_sha256 = $1 AND g.client_id = $2;

-- name: revoke_grant  -- $1 grant, $2 reason -> id; no row when it had ended
UPDATE openid_grants SET revoked_at = now(), revoked_reason = $2 WHERE id = $1 AND revoked_at IS NULL RETURNING id;

-- name: person_of  -- $1 session -> who signed in there, when and how; no row when the session has ended or the user is not active
SELECT u.id, u.email, u.name, u.role, u.updated_at, s.id AS session_id, s.created_at AS signed_in_at, s.factors,
    ARRAY(SELECT t.name FROM team_members m JOIN teams t ON t.id = m.team_id WHERE m.user_id = u.id ORDER BY t.name) AS teams
FROM sessions s JOIN users u ON u.id = s.user_id
WHERE s.id = $1 AND s.revoked_at IS NULL AND s.expires_at > now() AND u.active;

-- name: drop_expired_tokens  -- those of no use any more; a used refresh token is kept as long, to know it again
DELETE FROM openid_tokens WHERE expires_at < now();

-- name: drop_ended_grants  -- those that hold nothing any more; a used code is known again for a day
DELETE FROM openid_grants g
WHERE g.created_at < now() - interval '1 day' AND NOT EXISTS (SELECT FROM openid_tokens t WHERE t.grant_id = g.id);
