-- name: next_account_tokens  -- $1 id of the last row before (null: none), $2 limit -> id, sealed; locked
SELECT id, token_encrypted AS sealed FROM whatsapp_accounts WHERE ($1::uuid IS NULL OR id > $1) ORDER BY id LIMIT $2 FOR NO KEY UPDATE;

-- name: set_account_tokens  -- $1 id, $2 sealed by today's key
UPDATE whatsapp_accounts SET token_encrypted = $2 WHERE id = $1;

-- name: next_second_factors  -- $1 id of the last row before (null: none), $2 limit -> id, sealed; locked
SELECT id, totp_encrypted AS sealed FROM users
WHERE ($1::uuid IS NULL OR id > $1) AND totp_encrypted IS NOT NULL ORDER BY id LIMIT $2 FOR NO KEY UPDATE;

-- name: set_second_factors  -- $1 id, $2 sealed by today's key
UPDATE users SET totp_encrypted = $2 WHERE id = $1;

-- name: next_pending_factors  -- $1 id of the last row before (null: none), $2 limit -> id, sealed; locked
SELECT id, totp_pending_encrypted AS sealed FROM users
WHERE ($1::uuid IS NULL OR id > $1) AND totp_pending_encrypted IS NOT NULL ORDER BY id LIMIT $2 FOR NO KEY UPDATE;

-- name: set_pending_factors  -- $1 id, $2 sealed by today's key
UPDATE users SET totp_pending_encrypted = $2 WHERE id = $1;

-- name: next_signing_keys  -- $1 kid of the last row before (null: none), $2 limit -> id, sealed; locked
SELECT kid AS id, key_encrypted AS sealed FROM signing_keys WHERE ($1::text IS NULL OR kid > $1) ORDER BY kid LIMIT $2 FOR NO KEY UPDATE;

-- name: set_signing_keys  -- $1 kid, $2 sealed by today's key
UPDATE signing_keys SET key_encrypted = $2 WHERE kid = $1;

-- name: next_openid_keys  -- $1 kid of the last row before (null: none), $2 limit -> id, sealed; locked
SELECT kid AS id, key_encrypted AS sealed FROM openid_keys WHERE ($1::text IS NULL OR kid > $1) ORDER BY kid LIMIT $2 FOR NO KEY UPDATE;

-- name: set_openid_keys  -- $1 kid, $2 sealed by today's key
UPDATE openid_keys SET key_encrypted = $2 WHERE kid = $1;

-- name: next_notices  -- $1 id of the last row before (null: none), $2 limit -> id, sealed; locked
SELECT id, sealed FROM notices WHERE ($1::uuid IS NULL OR id > $1) ORDER BY id LIMIT $2 FOR NO KEY UPDATE;

-- name: set_notices  -- $1 id, $2 sealed by today's key
UPDATE notices SET sealed = $2 WHERE id = $1;

-- name: next_erasures  -- $1 id of the last row before (null: none), $2 limit -> id, sealed; locked
SELECT id, sealed FROM erasures WHERE ($1::uuid IS NULL OR id > $1) AND sealed IS NOT NULL ORDER BY id LIMIT $2 FOR NO KEY UPDATE;

-- name: set_erasures  -- $1 id, $2 sealed by today's key
UPDATE erasures SET sealed = $2 WHERE id = $1;

-- name: next_kept_records  -- $1 id of the last row before (null: none), $2 limit -> id, sealed; locked
SELECT id, sealed FROM kept_records WHERE ($1::uuid IS NULL OR id > $1) ORDER BY id LIMIT $2 FOR NO KEY UPDATE;

-- name: set_kept_records  -- $1 id, $2 sealed by today's key
UPDATE kept_records SET sealed = $2 WHERE id = $1;

-- name: next_conversion_keys  -- $1 id of the last row before (null: none), $2 limit -> id, sealed; locked
SELECT id, secret_encrypted AS sealed FROM conversion_keys WHERE ($1::text IS NULL OR id > $1) ORDER BY id LIMIT $2 FOR NO KEY UPDATE;

-- name: set_conversion_keys  -- $1 id, $2 sealed by today's key
UPDATE conversion_keys SET secret_encrypted = $2 WHERE id = $1;

-- name: next_site_secrets  -- $1 id of the last row before (null: none), $2 limit -> id, sealed; locked
SELECT id, secret_encrypted AS sealed FROM sites
WHERE ($1::uuid IS NULL OR id > $1) AND secret_encrypted IS NOT NULL ORDER BY id LIMIT $2 FOR NO KEY UPDATE;

-- name: set_site_secrets  -- $1 id, $2 sealed by today's key
UPDATE sites SET secret_encrypted = $2 WHERE id = $1;
