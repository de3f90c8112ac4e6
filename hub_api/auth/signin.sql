-- name: find_by_email  -- $1 e-mail -> what signing in needs to know of a user
SELECT id, email, name, phone, active, password_hash, password_changed_at, second_factor_at FROM users WHERE lower(email) = lower($1);

-- name: find_by_id  -- $1 user -> the same
SELECT id, email, name, phone, active, password_hash, password_changed_at, second_factor_at FROM users WHERE id = $1;

-- name: renew_hash  -- $1 user, $2 new hash of the same password, $3 the hash it replaces
UPDATE users SET password_hash = $2 WHERE id = $1 AND password_hash = $3;

-- name: signed_in  -- $1 user
UPDATE users SET last_sign_in_at = now() WHERE id = $1;
