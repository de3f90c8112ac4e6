-- Surveys that wait for their template (`conversations.survey`, migration 0083).

-- name: due  -- $1 limit -> id of conversations to ask about, the oldest first
SELECT id FROM conversations WHERE survey = 'due' ORDER BY id LIMIT $1;

-- name: take  -- $1 conversation -> state, protocol; whether its customer wants no notices; locked; no row: in other hands, or not due any more
SELECT c.state, c.protocol, EXISTS (
    SELECT FROM suppressions s
    WHERE s.customer_id = c.customer_id AND s.scope IN ('utility', 'all') AND (s.until IS NULL OR s.until > now())
) AS opted_out
FROM conversations c WHERE c.id = $1 AND c.survey = 'due' FOR NO KEY UPDATE OF c SKIP LOCKED;

-- name: not_asked  -- $1 conversation; nothing is awaited, and the bot may ask when it ends another time
UPDATE conversations SET bot_state = bot_state - 'awaiting' - 'rating_asked' WHERE id = $1;

-- name: template  -- $1 conversation, $2 name, $3 language -> category, components, parameter_format in its number's account
SELECT t.category, t.components, t.parameter_format
FROM conversations c
JOIN whatsapp_numbers n ON n.id = c.number_id
JOIN templates t ON t.account_id = n.account_id AND t.name = $2 AND t.language = $3
WHERE c.id = $1;
