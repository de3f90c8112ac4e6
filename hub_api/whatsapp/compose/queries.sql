-- What composing a message looks at.

-- name: find_target  -- $1 conversation, $2 message -> wamid (null: Meta has not taken it), type, created_at, revoked_at; no row: not in this conversation
SELECT wamid, type, created_at, revoked_at FROM messages WHERE conversation_id = $1 AND id = $2;

-- name: find_template  -- $1 conversation, $2 name, $3 language -> the template of its number's account, LOW_QUALITY when new sends of it stop
SELECT t.name, t.category, template_sending_status(t.status, t.quality) AS status, t.parameter_format,
    t.components
FROM conversations c
JOIN whatsapp_numbers n ON n.id = c.number_id
JOIN templates t ON t.account_id = n.account_id
WHERE c.id = $1 AND t.name = $2 AND t.language = $3;

-- name: flow_status  -- $1 conversation, $2 flow_id -> what Meta said last of the flow in the number's account
SELECT f.status FROM conversations c
JOIN whatsapp_numbers n ON n.id = c.number_id
JOIN whatsapp_flows f ON f.account_id = n.account_id AND f.flow_id = $2
WHERE c.id = $1;

-- name: has_phone  -- $1 conversation -> whether the customer can be addressed by a phone number
SELECT c.phone IS NOT NULL OR EXISTS (
    SELECT FROM customer_identities i
    WHERE i.customer_id = c.id AND i.kind IN ('wa_id', 'phone') AND i.valid_to IS NULL
) FROM conversations v JOIN customers c ON c.id = v.customer_id WHERE v.id = $1;

-- name: last_inbound  -- $1 conversation, $2 not before -> wamid, phone_number_id, token_encrypted of the customer's newest message
SELECT m.wamid, n.phone_number_id, a.token_encrypted
FROM messages m
JOIN whatsapp_numbers n ON n.id = m.number_id
JOIN whatsapp_accounts a ON a.id = n.account_id
WHERE m.conversation_id = $1 AND m.created_at >= $2 AND m.direction = 'in' AND m.wamid LIKE 'wamid.%'
ORDER BY m.created_at DESC, m.id DESC
LIMIT 1;
