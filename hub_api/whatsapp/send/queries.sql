-- The outbox: claim, record what became of the call, give back, settle doubts. Messages are partitioned by created_at:
-- every bulk change names the range of its keys ($low, $high), so that other months are not opened at all.

-- name: queues  -- $1 shard -> shard, id, phone_number_id, throughput_mps, account_id, token_encrypted of each queue with something to claim, from that shard on
SELECT r.shard, n.id, n.phone_number_id, n.throughput_mps, n.account_id, n.token_encrypted
FROM outbox_ready r JOIN sending_numbers n ON n.id = r.number_id
ORDER BY (r.shard - $1::int + 64) % 64, n.id;

-- name: candidates  -- $1 shard, $2 number_id, $3 limit -> what may be claimed, most urgent first, with all that decides it
-- The queue is read in the order of its index and cut off before anything is joined to it: a backlog of 100,000 costs
-- no more than one of 100. The number is looked up apart (a join would lose that order), and CASE keeps the planner from
-- guessing that a category which every message has filters all of them away.
WITH sending AS MATERIALIZED (
    SELECT * FROM sending_numbers WHERE id = $2
), first AS MATERIALIZED (
    SELECT * FROM outbox_due
    WHERE shard = $1 AND number_id = $2 AND EXISTS (SELECT FROM sending)
        AND CASE WHEN category = ANY (ARRAY(SELECT unnest(held_categories) FROM sending)) THEN false ELSE true END
    ORDER BY priority, created_at
    LIMIT $3
)
SELECT r.id, r.created_at, r.conversation_id, r.customer_id, r.type, r.category, r.payload, r.due_at, now() AS now,
    c.status AS customer_status, c.phone, c.metadata -> 'whatsapp_strikes' AS strikes,
    spoke.last_at AS customer_spoke_at, address.known AS addresses, template_sending_status(t.status, t.quality) AS template_status, stopped.scopes AS suppressed
FROM first r
CROSS JOIN sending
JOIN customers c ON c.id = r.customer_id
LEFT JOIN templates t ON r.type = 'template' AND t.account_id = sending.account_id
    AND t.name = r.payload #>> '{template,name}' AND t.language = r.payload #>> '{template,language,code}'
CROSS JOIN LATERAL (
    SELECT max(v.last_customer_message_at) AS last_at FROM conversations v
    WHERE v.customer_id = r.customer_id AND v.number_id = r.number_id
) AS spoke
CROSS JOIN LATERAL (
    SELECT array_agg(ARRAY[i.kind, i.value] ORDER BY i.valid_from DESC) AS known FROM customer_identities i
    WHERE i.customer_id = coalesce(c.merged_into, c.id) AND i.valid_to IS NULL
        AND i.portfolio_id IN ('', sending.portfolio_id)
) AS address
CROSS JOIN LATERAL (
    SELECT jsonb_object_agg(s.scope, s.reason) AS scopes FROM suppressions s
    WHERE s.customer_id = r.customer_id AND (s.until IS NULL OR s.until > now())
) AS stopped
ORDER BY r.priority, r.created_at;

-- name: anything_ready  -- $1 shard, $2 number_id -> whether a claim that took nothing only met locked customers
SELECT EXISTS (
    SELECT FROM sending_numbers n CROSS JOIN LATERAL (
        SELECT FROM outbox_due d
        WHERE d.shard = $1 AND d.number_id = n.id
            AND CASE WHEN d.category = ANY (n.held_categories) THEN false ELSE true END
        LIMIT 1
    ) AS head
    WHERE n.id = $2
);

-- name: claim  -- $1 ids, $2 created_at, $3 customer ids, $4 low, $5 high -> id, attempt of those claimed; the rules stand at claim_messages (migration 0007)
SELECT claimed_id AS id, claimed_attempt AS attempt FROM claim_messages($1, $2, $3, $4, $5);

-- name: put_off  -- $1 id, $2 created_at, $3 not_before
UPDATE messages SET not_before = $3 WHERE id = $1 AND created_at = $2 AND state = 'queued';

-- name: accept  -- $1 ids, $2 created_at, $3 low, $4 high, $5 wamids, $6 states (accepted, held), $7 estimated costs in micros, $8 their currencies -> id, version, from_state, state, conversation_id, customer_id, type
UPDATE messages m SET
    wamid = given.wamid, accepted_at = now(), state = given.state, error_code = NULL, error_title = NULL,
    estimated_micros = given.micros, estimated_currency = given.currency, version = m.version + 1
FROM unnest($1::uuid[], $2::timestamptz[], $5::text[], $6::text[], $7::bigint[], $8::text[])
    AS given (id, created_at, wamid, state, micros, currency)
WHERE m.id = given.id AND m.created_at = given.created_at AND m.created_at BETWEEN $3 AND $4 AND m.state = 'claimed'
RETURNING m.id, m.version, 'claimed' AS from_state, m.state, m.conversation_id, m.customer_id, m.type;

-- name: accept_overtaken  -- as accept, for messages that a status (or the sweep) moved on before we could record the call
WITH given AS (
    SELECT * FROM unnest($1::uuid[], $2::timestamptz[], $5::text[], $6::text[], $7::bigint[], $8::text[])
        AS given (id, created_at, wamid, state, micros, currency)
), before AS (
    SELECT m.id, m.created_at, m.state, given.wamid, given.state AS to_state, given.micros, given.currency
    FROM messages m JOIN given ON m.id = given.id AND m.created_at = given.created_at
    WHERE m.created_at BETWEEN $3 AND $4
    ORDER BY m.id
    FOR UPDATE OF m
)
UPDATE messages m SET
    wamid = before.wamid,
    accepted_at = coalesce(m.accepted_at, now()),
    estimated_micros = before.micros,
    estimated_currency = before.currency,
    state = CASE WHEN can_move(before.state, before.to_state) THEN before.to_state ELSE m.state END,
    error_code = CASE WHEN can_move(before.state, before.to_state) THEN NULL ELSE m.error_code END,
    error_title = CASE WHEN can_move(before.state, before.to_state) THEN NULL ELSE m.error_title END,
    version = m.version + 1
FROM before
WHERE m.id = before.id AND m.created_at = before.created_at AND m.created_at BETWEEN $3 AND $4
RETURNING m.id, m.version, before.state AS from_state, m.state, m.conversation_id, m.customer_id, m.type;

-- name: store_wa_ids  -- $1 ids, $2 customer ids, $3 wa_ids: how Meta spells a phone that we addressed for the first time
INSERT INTO customer_identities (id, customer_id, kind, value)
SELECT id, customer_id, 'wa_id', wa_id FROM unnest($1::uuid[], $2::uuid[], $3::text[]) AS given (id, customer_id, wa_id)
ON CONFLICT (kind, value, portfolio_id) WHERE valid_to IS NULL DO NOTHING;

-- name: finish  -- $1 ids, $2 created_at, $3 low, $4 high, $5 states (failed, cancelled, unknown), $6 error codes, $7 error titles, $8 states they must be in -> as accept
WITH given AS (
    SELECT * FROM unnest($1::uuid[], $2::timestamptz[], $5::text[], $6::int[], $7::text[], $8::text[])
        AS given (id, created_at, state, error_code, error_title, from_state)
), before AS (
    SELECT m.id, m.created_at, m.state, given.state AS to_state, given.error_code, given.error_title
    FROM messages m JOIN given ON m.id = given.id AND m.created_at = given.created_at
    WHERE m.created_at BETWEEN $3 AND $4 AND m.state = given.from_state
    ORDER BY m.id
    FOR UPDATE OF m
)
UPDATE messages m SET
    state = before.to_state,
    error_code = before.error_code,
    error_title = before.error_title,
    failed_at = CASE WHEN before.to_state = 'failed' THEN now() ELSE m.failed_at END,
    version = m.version + 1
FROM before
WHERE m.id = before.id AND m.created_at = before.created_at AND m.created_at BETWEEN $3 AND $4
RETURNING m.id, m.version, before.state AS from_state, m.state, m.conversation_id, m.customer_id, m.type, m.error_code;

-- name: release  -- $1 ids, $2 created_at, $3 low, $4 high, $5 not_before, $6 calls made (0: the attempt never took place), $7 error codes, $8 error titles
UPDATE messages m SET
    state = 'queued', claimed_at = NULL, not_before = given.not_before, attempt = m.attempt - 1 + given.calls,
    error_code = given.error_code, error_title = given.error_title
FROM unnest($1::uuid[], $2::timestamptz[], $5::timestamptz[], $6::int[], $7::int[], $8::text[])
    AS given (id, created_at, not_before, calls, error_code, error_title)
WHERE m.id = given.id AND m.created_at = given.created_at AND m.created_at BETWEEN $3 AND $4 AND m.state = 'claimed';

-- name: without_number  -- $1 shard -> id, created_at of queued messages that no number can send
SELECT id, created_at FROM messages WHERE state = 'queued' AND shard = $1 AND number_id IS NULL ORDER BY created_at LIMIT 500;

-- name: stale_claims  -- $1 claimed before -> id, created_at, oldest first: their sender died between the claim and the record
SELECT id, created_at FROM messages WHERE state = 'claimed' AND claimed_at < $1 ORDER BY claimed_at LIMIT 500;

-- name: unknown_messages  -- $1 claimed before, $2 after claimed_at or null, $3 after id, $4 limit -> messages whose outcome a person may have to settle
SELECT id, created_at, conversation_id, customer_id, number_id, type, category, attempt, claimed_at, error_title
FROM messages
WHERE state = 'unknown' AND claimed_at < $1 AND ($2::timestamptz IS NULL OR (claimed_at, id) > ($2, $3::uuid))
ORDER BY claimed_at, id
LIMIT $4;

-- name: find_message  -- $1 id -> created_at, state
SELECT created_at, state FROM messages WHERE id = $1;
