-- name: list_clients  -- -> every client without its secret, by id
SELECT id, name, credential_sha256 IS NULL AS public, redirect_uris, logout_uris, permission, version, created_by, created_at, updated_at
FROM openid_clients ORDER BY id;

-- name: find_client  -- $1 id -> the same and credential_sha256
SELECT id, name, credential_sha256 IS NULL AS public, credential_sha256, redirect_uris, logout_uris, permission, version, created_by,
    created_at, updated_at
FROM openid_clients WHERE id = $1;

-- name: lock_client  -- $1 id -> the row; locked
SELECT * FROM openid_clients WHERE id = $1 FOR NO KEY UPDATE;

-- name: insert_client  -- $1 id, $2 name, $3 credential_sha256, $4 redirect_uris, $5 logout_uris, $6 permission, $7 created_by
INSERT INTO openid_clients (id, name, credential_sha256, redirect_uris, logout_uris, permission, created_by)
VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: update_client  -- $1 id, $2 name, $3 redirect_uris, $4 logout_uris, $5 permission
UPDATE openid_clients SET name = $2, redirect_uris = $3, logout_uris = $4, permission = $5, version = version + 1 WHERE id = $1;

-- name: set_secret  -- $1 id, $2 sha256
UPDATE openid_clients SET credential_sha256 = $2, version = version + 1 WHERE id = $1;

-- name: delete_client  -- $1 id: its grants and tokens go with it
DELETE FROM openid_clients WHERE id = $1;
