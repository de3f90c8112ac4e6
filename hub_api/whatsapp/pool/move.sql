-- Moving what waits from a number that cannot send to others of its account, and back.

-- name: stopped  -- $1 short pauses end within -> id, account_id of numbers that give their templates away, of active accounts
-- A claim that read its candidates before the stop ends within a second: two seconds later nobody looks at them any more.
-- A breaker that is open long enough shows as a pause.
SELECT n.id, n.account_id FROM whatsapp_numbers n JOIN whatsapp_accounts a ON a.id = n.account_id
WHERE a.state = 'active' AND n.state_at < now() - interval '2 seconds'
    AND (
        n.state IN ('restricted', 'offline', 'draining', 'removed')
        OR (n.state = 'paused' AND (n.paused_until IS NULL OR n.paused_until > now() + $1::interval))
    )
ORDER BY n.id;

-- name: healed  -- $1 healthy for -> id of numbers that may have back what was moved from them
SELECT n.id FROM whatsapp_numbers n JOIN whatsapp_accounts a ON a.id = n.account_id
WHERE a.state = 'active' AND n.state IN ('connected', 'limited') AND n.state_at < now() - $1::interval
    AND EXISTS (SELECT FROM outbox o WHERE o.state = 'queued' AND o.moved_from = n.id)
ORDER BY n.id;

-- name: waiting_customers  -- $1 number, $2 limit -> customer_id of those with templates waiting at the number; locked
-- A file uploaded to Meta belongs to the number it was uploaded for: whoever waits for one waits here.
-- Whoever is locked has a message being claimed or an opt-out under way: next time.
SELECT c.id AS customer_id FROM customers c
WHERE c.id IN (
    SELECT o.customer_id FROM outbox o
    WHERE o.state = 'queued' AND o.number_id = $1 AND o.type = 'template'
        AND o.priority BETWEEN 0 AND 3 AND o.shard BETWEEN 0 AND 63
        AND NOT EXISTS (
            SELECT FROM outbox bound JOIN messages m ON m.id = bound.id AND m.created_at = bound.created_at
            WHERE bound.customer_id = o.customer_id AND bound.state = 'queued' AND bound.number_id = $1
                AND bound.type = 'template' AND m.payload @? '$.template.**.id'
        )
    LIMIT $2
)
ORDER BY c.id FOR UPDATE SKIP LOCKED;

-- name: moved_customers  -- $1 number, $2 limit -> customer_id of those whose templates wait elsewhere for it; locked
SELECT c.id AS customer_id FROM customers c
WHERE c.id IN (SELECT o.customer_id FROM outbox o WHERE o.state = 'queued' AND o.moved_from = $1 LIMIT $2)
ORDER BY c.id FOR UPDATE SKIP LOCKED;

-- name: move  -- $1 from number, $2 customers, $3 their new numbers -> shard of each message moved
-- All waiting templates of a customer go together, so that their order stays. A claimed one is nobody's to touch.
UPDATE messages m SET updated_at = now(), number_id = given.number_id, moved_from = coalesce(m.moved_from, m.number_id), version = m.version + 1
FROM unnest($2::uuid[], $3::uuid[]) AS given (customer_id, number_id)
JOIN outbox o ON o.customer_id = given.customer_id
WHERE m.id = o.id AND m.created_at = o.created_at AND m.state = 'queued' AND m.number_id = $1 AND m.type = 'template'
RETURNING m.shard;

-- name: move_back  -- $1 number, $2 customers -> shard of each message
UPDATE messages m SET updated_at = now(), number_id = $1, moved_from = NULL, version = m.version + 1
FROM outbox o
WHERE o.customer_id = ANY ($2::uuid[]) AND m.id = o.id AND m.created_at = o.created_at
    AND m.state = 'queued' AND m.moved_from = $1
RETURNING m.shard;
