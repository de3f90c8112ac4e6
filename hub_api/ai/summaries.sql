-- Summaries that were asked for (migration 0055).

-- name: take  -- $1 limit -> conversation_id, taken_at of those nobody works on, or whose worker died five minutes ago; oldest first
WITH due AS (
    SELECT conversation_id FROM summary_turns WHERE taken_at IS NULL OR taken_at < now() - interval '5 minutes'
    ORDER BY created_at LIMIT $1 FOR UPDATE SKIP LOCKED
)
UPDATE summary_turns t SET taken_at = clock_timestamp() FROM due WHERE t.conversation_id = due.conversation_id
RETURNING t.conversation_id, t.taken_at;

-- name: lines  -- $1 conversation, $2 limit -> author, content of its newest messages with words, and of those that were merged into it; newest first
-- What the customer deleted, one-time codes and the survey's grades are no part of it.
SELECT m.author, m.content
FROM (SELECT $1::uuid AS id UNION ALL SELECT id FROM conversations WHERE merged_into = $1) AS part
CROSS JOIN LATERAL (
    SELECT id, created_at, author, content FROM messages one
    WHERE one.conversation_id = part.id AND one.revoked_at IS NULL AND one.content IS NOT NULL
        AND one.author IN ('customer', 'bot', 'agent', 'phone_app') AND one.state NOT IN ('failed', 'cancelled')
        AND one.category IS DISTINCT FROM 'authentication'
    ORDER BY one.created_at DESC, one.id DESC LIMIT $2
) AS m ORDER BY m.created_at DESC, m.id DESC LIMIT $2;

-- name: save  -- $1 conversation, $2 summary, $3 by -> customer_id, version; no row: merged into another, or as it was
UPDATE conversations SET ai_summary = $2, ai_summary_by = $3, ai_summary_at = now(), version = version + 1
WHERE id = $1 AND merged_into IS NULL AND ai_summary IS DISTINCT FROM $2 RETURNING customer_id, version;

-- name: done  -- $1 conversation, $2 taken_at; one that was asked for again meanwhile stays
DELETE FROM summary_turns WHERE conversation_id = $1 AND taken_at = $2;
