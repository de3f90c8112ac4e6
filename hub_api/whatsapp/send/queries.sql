-- The outbox: claim, record what became of the call, give back, settle doubts. What waits is found in `outbox`, which follows
-- `messages` (migration 0016). Messages are partitioned by created_at:
-- every bulk change names the range of its keys ($low, $high), so that other months are not opened at all.

-- name: urgent_queues  -- $1 priorities, $2 own shard -> priority, shard, id, phone_number_id, throughput_mps, speed, account_id, portfolio_id, token_encrypted of each queue with something to claim: by lane, from the own shard on
-- It hops through the index from one queue to the next: its cost grows with the queues that have something, not with
-- their length nor with the numbers we own.
WITH RECURSIVE queue AS (
    SELECT head.* FROM unnest($1::smallint[]) AS lane (priority) CROSS JOIN LATERAL (
        SELECT o.priority, o.number_id, o.shard FROM outbox o
        WHERE o.state = 'queued' AND o.priority = lane.priority AND o.number_id IS NOT NULL
        ORDER BY o.number_id, o.shard LIMIT 1
    ) AS head
    UNION ALL
    SELECT next.* FROM queue CROSS JOIN LATERAL (
        SELECT o.priority, o.number_id, o.shard FROM outbox o
        WHERE o.state = 'queued' AND o.priority = queue.priority AND (o.number_id, o.shard) > (queue.number_id, queue.shard)
            AND o.number_id IS NOT NULL
        ORDER BY o.number_id, o.shard LIMIT 1
    ) AS next
)
SELECT queue.priority, queue.shard AS shard, n.id, n.phone_number_id, n.throughput_mps, w.speed, n.account_id, n.portfolio_id,
    n.token_encrypted
FROM queue
JOIN sending_numbers n ON n.id = queue.number_id
JOIN whatsapp_numbers w ON w.id = queue.number_id
WHERE lane_may_go(queue.priority, n.held_categories) AND EXISTS (
    SELECT FROM outbox_turns t
    WHERE t.priority = queue.priority AND t.shard = queue.shard AND t.number_id = queue.number_id
        AND CASE WHEN t.category = ANY (n.held_categories) THEN false ELSE true END
)
ORDER BY queue.priority, (queue.shard - $2::int + 64) % 64, n.id;

-- name: bulk_queues  -- $1 priorities, $2 own shard -> as urgent_queues, of each number and lane the nearest shard from the own one on
WITH RECURSIVE queue AS (
    SELECT head.* FROM unnest($1::smallint[]) AS lane (priority) CROSS JOIN LATERAL (
        SELECT o.priority, o.number_id FROM outbox o
        WHERE o.state = 'queued' AND o.priority = lane.priority AND o.number_id IS NOT NULL
        ORDER BY o.number_id LIMIT 1
    ) AS head
    UNION ALL
    SELECT next.* FROM queue CROSS JOIN LATERAL (
        SELECT o.priority, o.number_id FROM outbox o
        WHERE o.state = 'queued' AND o.priority = queue.priority AND o.number_id > queue.number_id
        ORDER BY o.number_id LIMIT 1
    ) AS next
)
SELECT queue.priority, near.shard AS shard, n.id, n.phone_number_id, n.throughput_mps, w.speed, n.account_id, n.portfolio_id,
    n.token_encrypted
FROM queue
JOIN sending_numbers n ON n.id = queue.number_id
JOIN whatsapp_numbers w ON w.id = queue.number_id
CROSS JOIN LATERAL nearest_due_shard(queue.priority, queue.number_id, $2, n.held_categories) AS near (shard)
WHERE lane_may_go(queue.priority, n.held_categories) AND near.shard IS NOT NULL
ORDER BY queue.priority, n.id;

-- name: candidates  -- $1 priorities, $2 shards, $3 number ids, $4 how many of each queue, $5 how many in all -> what may be claimed, in the order of the queues given, with all that decides it
-- Each queue is read in the order of its index, first what was put off and may go by now, and cut off before anything is
-- joined to it: a backlog of 100,000 costs no more than one of 100. The number is looked up apart (a join would lose that
-- order), and CASE keeps the planner from guessing that a category which every message has filters all of them away.
WITH sending AS MATERIALIZED (
    SELECT * FROM sending_numbers WHERE id = ANY ($3::uuid[])
), first AS MATERIALIZED (
    SELECT head.*, asked.place
    FROM unnest($1::smallint[], $2::smallint[], $3::uuid[], $4::int[]) WITH ORDINALITY AS asked (priority, shard, number_id, most, place)
    CROSS JOIN LATERAL (SELECT n.held_categories FROM sending n WHERE n.id = asked.number_id) AS number
    CROSS JOIN LATERAL (
        (
            SELECT * FROM outbox_turns t
            WHERE t.priority = asked.priority AND t.shard = asked.shard AND t.number_id = asked.number_id
                AND t.ready_at > '-infinity' AND CASE WHEN t.category = ANY (number.held_categories) THEN false ELSE true END
            ORDER BY t.ready_at LIMIT asked.most
        )
        UNION ALL
        (
            SELECT * FROM outbox_turns t
            WHERE t.priority = asked.priority AND t.shard = asked.shard AND t.number_id = asked.number_id
                AND t.ready_at = '-infinity' AND CASE WHEN t.category = ANY (number.held_categories) THEN false ELSE true END
            ORDER BY t.created_at LIMIT asked.most
        )
        LIMIT asked.most
    ) AS head
    LIMIT $5
)
SELECT r.id, r.created_at, r.shard, r.number_id, r.priority, m.conversation_id, r.customer_id, r.type, r.category, m.payload,
    r.due_at, now() AS now, c.status AS customer_status, c.phone, c.metadata -> 'whatsapp_strikes' AS strikes,
    spoke.last_at AS customer_spoke_at, address.known AS addresses, stopped.scopes AS suppressed,
    template_sending_status(t.status, t.quality) AS template_status, t.paced_since AS template_paced_since,
    CASE WHEN r.id = ANY (t.trial_ids) THEN NULL ELSE t.stopped_until END AS template_stopped_until,
    pace.burst_at AS pair_burst_at, pace.burst_count AS pair_burst_count
FROM first r
JOIN messages m ON m.id = r.id AND m.created_at = r.created_at
JOIN sending ON sending.id = r.number_id
JOIN customers c ON c.id = r.customer_id
LEFT JOIN templates t ON r.type = 'template' AND t.account_id = sending.account_id
    AND t.name = m.payload #>> '{template,name}' AND t.language = m.payload #>> '{template,language,code}'
LEFT JOIN pair_pace pace ON pace.customer_id = r.customer_id AND pace.number_id = r.number_id
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
ORDER BY r.place, r.ready_at > '-infinity' DESC, r.ready_at, r.created_at;

-- name: claim  -- $1 ids, $2 created_at, $3 customer ids, $4 number ids, $5 portfolios on whose quota they count or null, $6 low, $7 high -> id, attempt, reserved of those claimed; id, free_from (attempt null) of those without quota; the rules stand at claim_messages (migration 0016)
SELECT message AS id, attempt_number AS attempt, reserved, free_from FROM claim_messages($1, $2, $3, $4, $5, $6, $7);

-- name: put_off  -- $1 ids, $2 created_at, $3 low, $4 high, $5 not_before, $6 why (pair, quota, template)
-- Locked by id first, like all that write many messages at once: two of them never wait for each other.
WITH waiting AS (
    SELECT m.id, m.created_at, given.not_before, given.why
    FROM messages m JOIN unnest($1::uuid[], $2::timestamptz[], $5::timestamptz[], $6::text[]) AS given (id, created_at, not_before, why)
        ON m.id = given.id AND m.created_at = given.created_at
    WHERE m.created_at BETWEEN $3 AND $4 AND m.state = 'queued'
    ORDER BY m.id
    FOR UPDATE OF m
)
UPDATE messages m SET updated_at = now(), not_before = waiting.not_before, put_off = waiting.why
FROM waiting WHERE m.id = waiting.id AND m.created_at = waiting.created_at AND m.created_at BETWEEN $3 AND $4;

-- name: confirm_quota  -- $1 portfolios, $2 customer ids, $3 message ids that Meta accepted: their places are taken for good
UPDATE quota_ledger q SET message_id = NULL, previous_at = NULL
FROM unnest($1::text[], $2::uuid[], $3::uuid[]) AS given (portfolio_id, customer_id, message_id)
WHERE (q.portfolio_id, q.customer_id, q.message_id) = (given.portfolio_id, given.customer_id, given.message_id);

-- name: give_quota_back  -- $1 portfolios, $2 customer ids, $3 message ids that Meta refused, or that were never called
SELECT give_quota_back($1, $2, $3);

-- name: forget_pairs  -- what the pair limit need not know any more
DELETE FROM pair_pace WHERE burst_at < now() - interval '10 minutes';

-- name: accept  -- $1 ids, $2 created_at, $3 low, $4 high, $5 wamids, $6 states (accepted, held), $7 estimated costs in micros, $8 their currencies -> id, version, from_state, state, conversation_id, customer_id, type
SELECT id, version, 'claimed' AS from_state, state, conversation_id, customer_id, type
FROM accept_messages($1, $2, $3, $4, $5, $6, $7, $8);

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
    updated_at = now(),
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
    updated_at = now(),
    state = before.to_state,
    error_code = before.error_code,
    error_title = before.error_title,
    failed_at = CASE WHEN before.to_state = 'failed' THEN now() ELSE m.failed_at END,
    version = m.version + 1
FROM before
WHERE m.id = before.id AND m.created_at = before.created_at AND m.created_at BETWEEN $3 AND $4
RETURNING m.id, m.version, before.state AS from_state, m.state, m.conversation_id, m.customer_id, m.type, m.error_code;

-- name: release  -- $1 ids, $2 created_at, $3 low, $4 high, $5 not_before, $6 calls made (0: the attempt never took place), $7 error codes, $8 error titles
WITH given AS (
    SELECT * FROM unnest($1::uuid[], $2::timestamptz[], $5::timestamptz[], $6::int[], $7::int[], $8::text[])
        AS given (id, created_at, not_before, calls, error_code, error_title)
), claimed AS (
    SELECT m.id, m.created_at, given.not_before, given.calls, given.error_code, given.error_title
    FROM messages m JOIN given ON m.id = given.id AND m.created_at = given.created_at
    WHERE m.created_at BETWEEN $3 AND $4 AND m.state = 'claimed'
    ORDER BY m.id
    FOR UPDATE OF m
)
UPDATE messages m SET
    updated_at = now(),
    state = 'queued', claimed_at = NULL, not_before = claimed.not_before, put_off = NULL, attempt = m.attempt - 1 + claimed.calls,
    error_code = claimed.error_code, error_title = claimed.error_title
FROM claimed
WHERE m.id = claimed.id AND m.created_at = claimed.created_at AND m.created_at BETWEEN $3 AND $4;

-- name: without_number  -- $1 shard -> id, created_at of queued messages that no number can send
SELECT id, created_at FROM outbox
WHERE state = 'queued' AND priority = ANY ('{0,1,2,3}') AND shard = $1 AND number_id IS NULL
ORDER BY created_at LIMIT 500;

-- name: stale_claims  -- $1 claimed before -> id, created_at, oldest first: their sender died between the claim and the record
SELECT id, created_at FROM outbox WHERE state = 'claimed' AND claimed_at < $1 ORDER BY claimed_at LIMIT 500;

-- name: unknown_messages  -- $1 claimed before, $2 after claimed_at or null, $3 after id, $4 limit -> messages whose outcome a person may have to settle
SELECT o.id, o.created_at, m.conversation_id, o.customer_id, o.number_id, o.type, o.category, o.attempt, o.claimed_at, m.error_title
FROM outbox o JOIN messages m ON m.id = o.id AND m.created_at = o.created_at
WHERE o.state = 'unknown' AND o.claimed_at < $1 AND ($2::timestamptz IS NULL OR (o.claimed_at, o.id) > ($2, $3::uuid))
ORDER BY o.claimed_at, o.id
LIMIT $4;

-- name: find_message  -- $1 id -> created_at, state
SELECT created_at, state FROM messages WHERE id = $1;

-- name: lane_ages  -- -> priority, queued, due (may go now), age_s of the oldest due (0: none) of every lane
SELECT lane.priority, count(m.id) AS queued, count(m.id) FILTER (WHERE m.ready_at <= now()) AS due,
    coalesce(extract(epoch FROM now() - min(m.due_at) FILTER (WHERE m.ready_at <= now())), 0)::float8 AS age_s
FROM generate_series(0, 3) AS lane (priority)
LEFT JOIN (
    SELECT id, priority, coalesce(not_before, '-infinity'::timestamptz) AS ready_at, greatest(created_at, not_before) AS due_at
    FROM outbox WHERE state = 'queued'
) AS m USING (priority)
GROUP BY lane.priority;

-- name: quotas  -- -> portfolio_id, messaging_limit, used of each limited portfolio
SELECT p.portfolio_id, p.messaging_limit,
    (SELECT count(*) FROM quota_ledger q WHERE q.portfolio_id = p.portfolio_id AND q.counted_at > now() - interval '24 hours') AS used
FROM whatsapp_portfolios p WHERE p.messaging_limit IS NOT NULL;
