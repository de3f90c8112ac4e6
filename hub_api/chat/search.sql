-- name: search_month  -- $1 teams (null: all), $2 caller, $3 words as people type them, $4 from, $5 before, $6 limit -> newest matches of [from, before)
-- Both dictionaries of search_vector(): stems (with accents) find word forms; simple tokens
-- (without) find names, codes, protocol numbers and what was typed without accents.
-- What the customer deleted is not found again.
SELECT m.id, m.created_at, m.conversation_id, m.customer_id, m.direction, m.author, m.type, m.content
FROM messages m
WHERE m.created_at >= $4 AND m.created_at < $5 AND m.revoked_at IS NULL
    AND (
        m.search @@ websearch_to_tsquery('pg_catalog.portuguese', $3)
        OR m.search @@ websearch_to_tsquery('pg_catalog.simple', immutable_unaccent($3))
    )
    AND ($1::uuid[] IS NULL OR EXISTS (
        SELECT FROM conversations c LEFT JOIN queues q ON q.id = c.queue_id
        WHERE c.id = m.conversation_id AND sees($1, $2::uuid, q.team_id, c.agent_id)
    ))
ORDER BY m.created_at DESC LIMIT $6;

-- name: months  -- -> first and last month that has a partition of messages
SELECT min(month) AS first, max(month) AS last FROM (
    SELECT to_date(right(inhrelid::regclass::text, 6), 'YYYYMM') AS month
    FROM pg_inherits WHERE inhparent = 'messages'::regclass AND inhrelid::regclass::text ~ '_[0-9]{6}$'
) AS partitions;
