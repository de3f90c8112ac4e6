-- name: find_linked  -- $1 issuer, $2 subject -> what signing in needs to know of the user
SELECT u.id, u.email, u.name, u.phone, u.role, u.active, u.password_changed_at, u.second_factor_at
FROM user_identities i JOIN users u ON u.id = i.user_id
WHERE i.issuer = $1 AND i.subject = $2;

-- name: find_unlinked  -- $1 e-mail, $2 issuer -> id of the user with this address; no row when he has an identity there already
SELECT u.id FROM users u
WHERE lower(u.email) = lower($1) AND NOT EXISTS (SELECT FROM user_identities i WHERE i.user_id = u.id AND i.issuer = $2);

-- name: email_taken  -- $1 e-mail -> true when a user has it
SELECT EXISTS (SELECT FROM users WHERE lower(email) = lower($1));

-- name: link  -- $1 issuer, $2 subject, $3 user, $4 linked_by; of two at once the first holds
INSERT INTO user_identities (issuer, subject, user_id, linked_by) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING;
