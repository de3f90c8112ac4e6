-- What a test queues for a pool of numbers, set-based: a campaign of 200,000 messages is in the outbox within a minute.
-- Ids of messages are UUIDv7 (PostgreSQL 18 makes them): a status finds its message by the time in its id.

-- name: queue_campaign  -- $1 how many, $2 first person's number, $3 number ids, $4 category, $5 priority, $6 payload: one template message to each of as many new customers, dealt out over the numbers
WITH people AS (
    INSERT INTO customers (id, name, phone, shard_id)
    SELECT gen_random_uuid(), 'Cliente ' || n, '5511' || (900000000 + n), n % 8
    FROM generate_series($2::int, $2::int + $1::int - 1) AS n
    RETURNING id, phone, shard_id
), identities AS (
    INSERT INTO customer_identities (id, customer_id, kind, value)
    SELECT gen_random_uuid(), id, kind, phone FROM people CROSS JOIN (VALUES ('wa_id'), ('phone')) AS kinds (kind)
), talks AS (
    INSERT INTO conversations (id, customer_id, number_id, protocol, opened_at, state)
    SELECT gen_random_uuid(), id, ($3::uuid[])[1 + substr(phone, 5)::bigint % cardinality($3::uuid[])],
        next_protocol(now(), 'UTC'), now(), 'waiting_customer'
    FROM people
    RETURNING id, customer_id, number_id
)
INSERT INTO messages (id, created_at, conversation_id, customer_id, number_id, direction, author, type, content, payload,
    state, category, priority, shard)
SELECT uuidv7(), now(), t.id, t.customer_id, t.number_id, 'out', 'campaign', 'template', 'Campanha', $6::jsonb,
    'queued', $4, $5, p.shard_id
FROM talks t JOIN people p ON p.id = t.customer_id;

-- name: talking_people  -- $1 how many, $2 first person's number, $3 number ids -> conversation_id, phone, phone_number_id: customers in the middle of a talk with an agent
WITH people AS (
    INSERT INTO customers (id, name, phone, shard_id)
    SELECT gen_random_uuid(), 'Cliente ' || n, '5521' || (900000000 + n), n % 8
    FROM generate_series($2::int, $2::int + $1::int - 1) AS n
    RETURNING id, phone
), identities AS (
    INSERT INTO customer_identities (id, customer_id, kind, value)
    SELECT gen_random_uuid(), id, kind, phone FROM people CROSS JOIN (VALUES ('wa_id'), ('phone')) AS kinds (kind)
), talks AS (
    INSERT INTO conversations (id, customer_id, number_id, protocol, opened_at, last_customer_message_at, state)
    SELECT gen_random_uuid(), id, ($3::uuid[])[1 + substr(phone, 5)::bigint % cardinality($3::uuid[])],
        next_protocol(now(), 'UTC'), now(), now(), 'assigned'
    FROM people
    RETURNING id, customer_id, number_id
)
SELECT t.id AS conversation_id, p.phone, n.phone_number_id
FROM talks t JOIN people p ON p.id = t.customer_id JOIN whatsapp_numbers n ON n.id = t.number_id;

-- name: left  -- $1 phone_number_ids, $2 types -> how many messages of these types still wait or are being called, of these numbers
SELECT count(*) FROM outbox o JOIN whatsapp_numbers n ON n.id = o.number_id
WHERE o.state IN ('queued', 'claimed') AND n.phone_number_id = ANY ($1) AND o.type = ANY ($2);

-- name: outgoing  -- -> id, state of every message of ours
SELECT id, state FROM messages WHERE direction = 'out';

-- name: age_claims  -- $1 number of seconds: claims look so much older, as if their sender had died that long ago
UPDATE messages m SET claimed_at = m.claimed_at - make_interval(secs => $1) FROM outbox o
WHERE o.state = 'claimed' AND o.claimed_at < now() - interval '2 seconds' AND m.id = o.id AND m.created_at = o.created_at;

-- name: unknown  -- -> id of every message whose outcome nobody knows
SELECT id FROM outbox WHERE state = 'unknown';

-- name: queued_at  -- $1 ids -> id, created_at
SELECT id, created_at FROM messages WHERE id = ANY ($1::uuid[]);
