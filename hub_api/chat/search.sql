-- name: search_month  -- $1 words as people type them, $2 from, $3 before, $4 limit -> newest matches of [from, before)
-- Both dictionaries of search_vector(): stems (with accents) find word forms; simple tokens
-- (without) find names, codes, protocol numbers and what was typed without accents.
-- What the customer deleted is not found again.
SELECT m.id, m.created_at, m.conversation_id, m.customer_id, m.direction, m.author, m.type, m.content
FROM messages m
WHERE m.created_at >= $2 AND m.created_at < $3 AND m.revoked_at IS NULL
    AND (
        m.search @@ websearch_to_tsquery('pg_catalog.portuguese', $1)
        OR m.search @@ websearch_to_tsquery('pg_catalog.simple', immutable_unaccent($1))
    )
ORDER BY m.created_at DESC LIMIT $4;

-- name: months  -- -> first and last month that has a partition of messages
SELECT min(month) AS first, max(month) AS last FROM (
    SELECT to_date(right(inhrelid::regclass::text, 6), 'YYYYMM') AS month
    FROM pg_inherits WHERE inhparent = 'messages'::regclass AND inhrelid::regclass::text ~ '_[0-9]{6}$'
) AS partitions;
