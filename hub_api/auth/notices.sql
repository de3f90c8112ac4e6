-- name: put  -- $1 id, $2 channel, $3 sealed, $4 expires_at
INSERT INTO notices (id, channel, sealed, expires_at) VALUES ($1, $2, $3, $4);

-- name: claim  -- $1 limit, $2 channels -> id, sealed, attempts of notices that are due; another run has them after a minute, later each time
UPDATE notices n SET attempts = n.attempts + 1, not_before = now() + interval '1 minute' * 2 ^ least(n.attempts, 6)
FROM (
    SELECT id FROM notices
    WHERE not_before <= now() AND expires_at > now() AND channel = ANY ($2::text[]) AND message_id IS NULL
    ORDER BY not_before LIMIT $1 FOR UPDATE SKIP LOCKED
) AS due
WHERE n.id = due.id
RETURNING n.id, n.sealed, n.attempts;

-- name: sent  -- $1 id
DELETE FROM notices WHERE id = $1;

-- name: drop_expired  -- those of no use any more
DELETE FROM notices WHERE expires_at <= now();
