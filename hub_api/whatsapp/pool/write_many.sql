-- name: lock_customers  -- $1 customers -> id, shard_id of those who may be written to; locked in the order of their ids, as everywhere
SELECT id, shard_id FROM customers
WHERE id = ANY ($1::uuid[]) AND status NOT IN ('merged', 'blocked', 'erased') ORDER BY id FOR UPDATE;

-- name: templates  -- $1 name, $2 language -> account_id, portfolio_id, and what template_draft reads: a RED one is LOW_QUALITY
SELECT t.account_id, a.portfolio_id, t.name, t.category, t.components, t.parameter_format,
    template_sending_status(t.status, t.quality) AS status
FROM templates t JOIN whatsapp_accounts a ON a.id = t.account_id
WHERE t.name = $1 AND t.language = $2 AND t.status <> 'DELETED' AND a.state = 'active'
ORDER BY a.waba_id;

-- name: served  -- $1 customers, $2 accounts -> customer_id, number_id, in_window: where each is being served
SELECT DISTINCT ON (c.customer_id) c.customer_id, c.number_id,
    coalesce(c.last_customer_message_at > now() - interval '24 hours', false) AS in_window
FROM conversations c JOIN whatsapp_numbers n ON n.id = c.number_id
WHERE c.customer_id = ANY ($1::uuid[]) AND n.account_id = ANY ($2::uuid[]) AND c.state NOT IN ('resolved', 'closed')
ORDER BY c.customer_id, c.last_message_at DESC NULLS LAST;

-- name: numbers  -- $1 accounts -> id, account_id
SELECT id, account_id FROM whatsapp_numbers WHERE account_id = ANY ($1::uuid[]);

-- name: conversations  -- $1 customers, $2 their numbers, $3 ids for new ones, $4 now, $5 zone -> customer_id, id: each one's newest that is not closed, else one of ours, no demand until the customer writes
WITH given AS (
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS given (customer_id, number_id, new_id)
), known AS (
    SELECT DISTINCT ON (c.customer_id) c.customer_id, c.id
    FROM conversations c JOIN given ON (given.customer_id, given.number_id) = (c.customer_id, c.number_id)
    WHERE c.state <> 'closed' AND coalesce(c.metadata ->> 'source', '') <> 'history'
    ORDER BY c.customer_id, (c.state <> 'resolved') DESC, c.opened_at DESC, c.id DESC
), touched AS (
    UPDATE conversations c SET last_message_at = greatest(c.last_message_at, $4) FROM known WHERE c.id = known.id
), begun AS (
    INSERT INTO conversations (id, customer_id, number_id, state, protocol, opened_at, resolved_at, origin, is_demand, last_message_at)
    SELECT given.new_id, given.customer_id, given.number_id, 'resolved', next_protocol($4, $5), $4, $4, 'business', false, $4
    FROM given WHERE NOT EXISTS (SELECT FROM known WHERE known.customer_id = given.customer_id)
    RETURNING customer_id, id
)
SELECT customer_id, id FROM known UNION ALL SELECT customer_id, id FROM begun;

-- name: insert_messages  -- $1 ids, $2 now, $3 conversations, $4 customers, $5 numbers, $6 contents, $7 payloads, $8 categories, $9 priorities, $10 shards
INSERT INTO messages (id, created_at, conversation_id, customer_id, number_id, direction, author, type, content, payload, state, category,
    priority, shard)
SELECT given.id, $2, given.conversation_id, given.customer_id, given.number_id, 'out', 'campaign', 'template', given.content, given.payload,
    'queued', given.category, given.priority, given.shard
FROM unnest($1::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::jsonb[], $8::text[], $9::smallint[], $10::smallint[])
    AS given (id, conversation_id, customer_id, number_id, content, payload, category, priority, shard);
