-- name: set_pending  -- $1 user, $2 secret encrypted -> e-mail; no row when a second factor is in force
UPDATE users SET totp_pending_encrypted = $2 WHERE id = $1 AND second_factor_at IS NULL RETURNING email;

-- name: lock_pending  -- $1 user -> the pending secret encrypted, or null; locked
SELECT totp_pending_encrypted FROM users WHERE id = $1 AND second_factor_at IS NULL FOR NO KEY UPDATE;

-- name: confirm  -- $1 user, $2 step of the code that confirmed it
UPDATE users SET totp_encrypted = totp_pending_encrypted, totp_pending_encrypted = NULL, totp_last_step = $2,
    second_factor_at = now(), version = version + 1
WHERE id = $1;

-- name: find_secret  -- $1 user -> the secret encrypted, or null
SELECT totp_encrypted FROM users WHERE id = $1;

-- name: take_step  -- $1 user, $2 step -> the user; no row when a code of this step or a later one was taken
UPDATE users SET totp_last_step = $2 WHERE id = $1 AND (totp_last_step IS NULL OR totp_last_step < $2) RETURNING id;

-- name: insert_recovery  -- $1 user, $2 keyed hashes
INSERT INTO recovery_codes (user_id, code_sha256) SELECT $1, unnest($2::bytea[]);

-- name: take_recovery  -- $1 user, $2 keyed hashes of one code (by each key) -> the user; no row when there is no such code
DELETE FROM recovery_codes WHERE user_id = $1 AND code_sha256 = ANY ($2::bytea[]) RETURNING user_id;

-- name: delete_recovery  -- $1 user
DELETE FROM recovery_codes WHERE user_id = $1;

-- name: count_recovery  -- $1 user -> how many are left
SELECT count(*) FROM recovery_codes WHERE user_id = $1;

-- name: remove  -- $1 user
UPDATE users SET totp_encrypted = NULL, totp_pending_encrypted = NULL, totp_last_step = NULL, second_factor_at = NULL,
    version = version + 1
WHERE id = $1;

-- name: put_message_code  -- $1 user, $2 keyed hash, $3 channel, $4 expires_at; the newest ends the one before
INSERT INTO message_codes (user_id, code_sha256, channel, expires_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (user_id) DO UPDATE SET code_sha256 = $2, channel = $3, expires_at = $4, tries = 0, created_at = now();

-- name: try_message_code  -- $1 user, $2 tries allowed -> code_sha256, channel; no row: none, expired, or tried too often
UPDATE message_codes SET tries = tries + 1
WHERE user_id = $1 AND expires_at > now() AND tries < $2
RETURNING code_sha256, channel;

-- name: message_code_by_sms  -- $1 user, $2 keyed hashes of one code (by each key) -> expires_at; no row: used, ended by a newer one, or expired
UPDATE message_codes SET channel = 'sms'
WHERE user_id = $1 AND code_sha256 = ANY ($2::bytea[]) AND expires_at > now()
RETURNING expires_at;

-- name: delete_message_code  -- $1 user
DELETE FROM message_codes WHERE user_id = $1;

-- name: drop_expired_message_codes  -- those of no use any more
DELETE FROM message_codes WHERE expires_at < now();
