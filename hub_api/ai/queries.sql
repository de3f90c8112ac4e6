-- The bot's turns. A conversation's row lock makes its turns one worker's; SKIP LOCKED leaves those in other hands alone.

-- name: waiting_turns  -- $1 limit -> conversation_id, customer_id of conversations with turns, the longest waiting first
SELECT c.id AS conversation_id, c.customer_id
FROM (
    SELECT conversation_id, min(id) AS first
    FROM (SELECT id, conversation_id FROM bot_turn ORDER BY id LIMIT 1000) AS oldest GROUP BY conversation_id
) AS waiting
JOIN conversations c ON c.id = waiting.conversation_id
ORDER BY waiting.first LIMIT $1;

-- name: take_conversations  -- $1 conversations uuid[], $2 form (a flow's id) or null -> those nobody else has, locked, with their customer's name; whether the form may be opened there
SELECT c.id, c.state, c.channel, c.customer_id, c.protocol, c.bot_state, c.agent_id, c.last_customer_message_at, c.survey, customer.name,
    c.channel = 'whatsapp' AND NOT EXISTS (
        SELECT FROM whatsapp_numbers n JOIN whatsapp_flows f ON f.account_id = n.account_id
        WHERE n.id = c.number_id AND f.flow_id = $2 AND f.status IN ('BLOCKED', 'THROTTLED')
    ) AS may_open_form
FROM conversations c JOIN customers customer ON customer.id = c.customer_id
WHERE c.id = ANY($1) ORDER BY c.id FOR NO KEY UPDATE OF c SKIP LOCKED;

-- name: read_turns  -- $1 conversations uuid[], $2 stale_after interval -> their turns in order, each with its message and the consent recorded for it
SELECT t.id, t.conversation_id, t.trigger, m.id AS message_id, m.content, m.payload -> 'detail' AS detail, m.wamid,
    m.revoked_at IS NOT NULL AS revoked, m.inserted_at - m.created_at > $2 AS stale, ledger.scope, ledger.granted
FROM bot_turn t
JOIN conversations c ON c.id = t.conversation_id
LEFT JOIN messages m ON m.id = t.message_id AND m.created_at = t.message_created_at
LEFT JOIN consent_ledger ledger ON ledger.customer_id = c.customer_id AND ledger.evidence ->> 'message_id' = t.message_id::text
WHERE t.conversation_id = ANY($1) ORDER BY t.id;

-- name: same_customer  -- $1 conversation, $2 another -> that one's id when it is the same customer's
SELECT other.id FROM conversations c JOIN conversations other USING (customer_id) WHERE c.id = $1 AND other.id = $2;

-- name: delete_turns  -- $1 ids bigint[]
DELETE FROM bot_turn WHERE id = ANY($1);

-- name: end_turns  -- $1 conversation -> trigger of each of its turns, which end unanswered
DELETE FROM bot_turn WHERE conversation_id = $1 RETURNING trigger;

-- name: delete_orphaned_turns  -- turns of conversations that were erased
DELETE FROM bot_turn t WHERE NOT EXISTS (SELECT FROM conversations c WHERE c.id = t.conversation_id);

-- name: save_states  -- $1 conversations uuid[], $2 bot_states jsonb[]
UPDATE conversations c SET bot_state = row.state
FROM unnest($1::uuid[], $2::jsonb[]) AS row (id, state) WHERE c.id = row.id;

-- name: ensure_queue  -- $1 id, $2 key, $3 name
INSERT INTO queues (id, key, name) VALUES ($1, $2, $3) ON CONFLICT (key) DO NOTHING;

-- name: queue_in_use  -- $1 key -> the key; no row: it takes no conversations any more
SELECT key FROM queues WHERE key = $1 AND active;
