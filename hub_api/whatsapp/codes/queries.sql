-- name: placed  -- $1 notice, $2 message, made in this transaction -> id: it is in the outbox now; no row: not of a template for codes
UPDATE notices SET message_id = $2, placed_at = now()
WHERE id = $1 AND EXISTS (
    SELECT FROM messages m WHERE m.id = $2 AND m.created_at >= now() - interval '1 minute' AND m.category = 'authentication'
)
RETURNING id;

-- name: arrived  -- notices whose message a phone has
DELETE FROM notices n USING messages m
WHERE n.message_id = m.id AND m.created_at >= n.created_at - interval '1 minute' AND m.state IN ('delivered', 'read', 'played');

-- name: overdue  -- $1 seconds of patience -> id, sealed, message_id, message_created_at, state of placed notices whose message failed or has not arrived in time; locked
SELECT n.id, n.sealed, n.message_id, m.created_at AS message_created_at, m.state
FROM notices n JOIN messages m ON m.id = n.message_id AND m.created_at >= n.created_at - interval '1 minute'
WHERE n.expires_at > now() AND (m.state IN ('failed', 'cancelled', 'unknown') OR n.placed_at < now() - make_interval(secs => $1))
ORDER BY n.id
LIMIT 50
FOR UPDATE OF n SKIP LOCKED;
