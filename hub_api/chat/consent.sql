-- The consent ledger and the suppressions that follow from it. $1 is the customer everywhere.

-- name: lock_customer  -- $1 customer_id -> version; serialises the proofs of one person
SELECT version FROM customers WHERE id = $1 FOR NO KEY UPDATE;

-- name: is_suppressed  -- $1 customer_id -> whether anything is stopped until an opt-in
SELECT EXISTS (SELECT FROM suppressions WHERE customer_id = $1 AND until IS NULL);

-- name: is_known  -- $2 scope, $3 granted, $4 source, $5 message id or null, $6 occurred_at -> whether the ledger has this proof
SELECT EXISTS (
    SELECT FROM consent_ledger
    WHERE customer_id = $1 AND scope = $2 AND granted = $3 AND source = $4
        AND CASE WHEN $5::text IS NULL THEN occurred_at = $6 ELSE evidence ->> 'message_id' = $5 END
);

-- name: has_newer  -- $2 scope, $3 granted, $4 occurred_at -> whether a later act of the person says the opposite
SELECT EXISTS (
    SELECT FROM consent_ledger
    WHERE customer_id = $1 AND (scope IN ($2, 'all') OR $2 = 'all') AND granted <> $3 AND occurred_at > $4
);

-- name: append  -- $1 id, $2 customer_id, $3 scope, $4 granted, $5 source, $6 text_version, $7 evidence jsonb, $8 occurred_at, $9 actor_id
INSERT INTO consent_ledger (id, customer_id, scope, granted, source, text_version, evidence, occurred_at, actor_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9);

-- name: raise_version  -- -> version after the change
UPDATE customers SET version = version + 1 WHERE id = $1 RETURNING version;

-- name: lift  -- $2 scope; who explicitly comes back for one scope also ends an opt-out of all, but not what a suppression list says
WITH lifted AS (
    SELECT s.scope, (
        SELECT CASE WHEN bool_or(e.until IS NULL) THEN 'infinity' ELSE max(e.until) END FROM suppression_entries e
        WHERE e.customer_id = $1 AND e.scope = s.scope AND (e.until IS NULL OR e.until > now())
    ) AS listed_until
    FROM suppressions s WHERE s.customer_id = $1 AND (s.scope IN ($2, 'all') OR $2 = 'all')
), gone AS (
    DELETE FROM suppressions s USING lifted l WHERE s.customer_id = $1 AND s.scope = l.scope AND l.listed_until IS NULL
)
UPDATE suppressions s SET reason = 'suppression_list', until = nullif(l.listed_until, 'infinity')
FROM lifted l WHERE s.customer_id = $1 AND s.scope = l.scope AND l.listed_until IS NOT NULL;

-- name: suppress  -- $2 scope, $3 reason, $4 until or null; the stricter of the old and the new one stays
INSERT INTO suppressions (customer_id, scope, reason, until) VALUES ($1, $2, $3, $4)
ON CONFLICT (customer_id, scope) DO UPDATE SET reason = excluded.reason, until = excluded.until
WHERE suppressions.until IS NOT NULL AND (excluded.until IS NULL OR excluded.until > suppressions.until);

-- name: cancel_queued  -- $2 categories text[] -> id, version, conversation_id of what will not be sent (found by outbox_customer)
UPDATE messages m SET updated_at = now(), state = 'cancelled', version = m.version + 1
FROM outbox o
WHERE o.customer_id = $1 AND m.id = o.id AND m.created_at = o.created_at AND m.state = 'queued' AND m.category = ANY($2::text[])
RETURNING m.id, m.version, m.conversation_id;

-- name: open_window  -- -> conversation in which the customer wrote within 24 h, the last one; not one that is closed
SELECT id FROM conversations
WHERE customer_id = $1 AND last_customer_message_at > now() - interval '24 hours' AND state <> 'closed'
ORDER BY last_customer_message_at DESC LIMIT 1;

-- name: refused  -- $2 scope -> whether he refused it before and never took it back
SELECT EXISTS (
    SELECT FROM consent_ledger r
    WHERE r.customer_id = $1 AND NOT r.granted AND r.scope IN ($2, 'all') AND NOT EXISTS (
        SELECT FROM consent_ledger g
        WHERE g.customer_id = $1 AND g.granted AND g.occurred_at >= r.occurred_at
            AND (g.scope = r.scope OR 'all' IN (g.scope, r.scope))
    )
);
