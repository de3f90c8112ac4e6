-- Writing to somebody outside any conversation.

-- name: templates_named  -- $1 name, $2 language, $3 waba_id or null -> account_id, portfolio_id, and what template_draft reads: a RED one is LOW_QUALITY
SELECT t.account_id, a.portfolio_id, t.name, t.category, t.components, t.parameter_format,
    template_sending_status(t.status, t.quality) AS status
FROM templates t JOIN whatsapp_accounts a ON a.id = t.account_id
WHERE t.name = $1 AND t.language = $2 AND ($3::text IS NULL OR a.waba_id = $3) AND t.status <> 'DELETED'
ORDER BY (t.status = 'APPROVED') DESC, (a.state = 'active') DESC, a.waba_id;

-- name: lock_customer  -- $1 customer -> id, status, phone; locked, and of merged ones whoever lives on
SELECT c.id, c.status, c.phone FROM customers c
WHERE c.id = (SELECT coalesce(given.merged_into, given.id) FROM customers given WHERE given.id = $1)
FOR UPDATE;

-- name: has_phone  -- $1 customer -> whether a phone is known
SELECT c.phone IS NOT NULL OR EXISTS (
    SELECT FROM customer_identities i WHERE i.customer_id = c.id AND i.kind IN ('wa_id', 'phone') AND i.valid_to IS NULL
) FROM customers c WHERE c.id = $1;

-- name: open_conversation  -- $1 customer, $2 accounts -> number_id, in_window of the conversation in which the customer is being served
SELECT c.number_id, coalesce(c.last_customer_message_at > now() - interval '24 hours', false) AS in_window
FROM conversations c JOIN whatsapp_numbers n ON n.id = c.number_id
WHERE c.customer_id = $1 AND n.account_id = ANY ($2::uuid[]) AND c.state NOT IN ('resolved', 'closed')
ORDER BY c.last_message_at DESC NULLS LAST LIMIT 1;

-- name: waiting_number  -- $1 accounts -> id of a number that will send again, when none may now
SELECT n.id FROM whatsapp_numbers n
WHERE n.account_id = ANY ($1::uuid[]) AND n.state IN ('connected', 'limited', 'paused')
ORDER BY n.paused_until NULLS LAST, n.id LIMIT 1;

-- name: conversation_on  -- $1 customer, $2 number -> id of the newest that is not closed
SELECT id FROM conversations
WHERE customer_id = $1 AND number_id = $2 AND state <> 'closed' AND coalesce(metadata ->> 'source', '') <> 'history'
ORDER BY (state <> 'resolved') DESC, opened_at DESC, id DESC LIMIT 1;

-- name: begin_conversation  -- $1 id, $2 customer, $3 number, $4 now, $5 zone: ours, and no demand until the customer writes
INSERT INTO conversations (id, customer_id, number_id, state, protocol, opened_at, resolved_at, origin, is_demand)
VALUES ($1, $2, $3, 'resolved', next_protocol($4, $5), $4, $4, 'business', false);
