-- What sets a campaign off.

-- name: due_starts  -- -> ids of scheduled campaigns whose time has come
SELECT id FROM campaigns WHERE state = 'scheduled' AND next_at <= now() ORDER BY next_at LIMIT 20;

-- name: set_next  -- $1 campaign, $2 when its next occurrence begins (null: none)
UPDATE campaigns SET next_at = $2 WHERE id = $1;

-- name: invoices  -- $1 campaign, $2 run, $3 since, $4 region (unused: null), $5 limit, $6 the hub's zone -> how many: open invoices that came since and are not overdue, each once, whose customer is known
WITH happened AS (
    INSERT INTO campaign_trigger_keys (campaign_id, key, customer_id, run_id)
    SELECT $1, 'invoice:' || i.external_id, k.customer_id, $2 FROM invoices i JOIN contracts k ON k.external_id = i.contract_id
    WHERE i.status = 'open' AND i.updated_at >= $3 AND i.due_on >= (now() AT TIME ZONE $6)::date AND k.customer_id IS NOT NULL
        AND ($4::text IS NULL OR k.region_code = $4)
        AND NOT EXISTS (
            SELECT FROM campaign_trigger_keys t
            WHERE t.campaign_id = $1 AND t.key = 'invoice:' || i.external_id AND t.customer_id = k.customer_id
        )
    LIMIT $5 ON CONFLICT DO NOTHING RETURNING 1
)
SELECT count(*)::int FROM happened;

-- name: outages  -- as invoices, without a zone: customers with an active contract in the region of an outage that goes on
WITH happened AS (
    INSERT INTO campaign_trigger_keys (campaign_id, key, customer_id, run_id)
    SELECT DISTINCT $1::uuid, 'outage:' || o.external_id, k.customer_id, $2::uuid FROM outages o JOIN contracts k ON k.region_code = o.region_code
    WHERE o.ended_at IS NULL AND o.updated_at >= $3 AND k.status = 'active' AND k.customer_id IS NOT NULL
        AND ($4::text IS NULL OR o.region_code = $4)
        AND NOT EXISTS (
            SELECT FROM campaign_trigger_keys t
            WHERE t.campaign_id = $1 AND t.key = 'outage:' || o.external_id AND t.customer_id = k.customer_id
        )
    LIMIT $5 ON CONFLICT DO NOTHING RETURNING 1
)
SELECT count(*)::int FROM happened;

-- name: crossed  -- $1 campaign, $2 run, $3 key, $4 customers -> how many
WITH happened AS (
    INSERT INTO campaign_trigger_keys (campaign_id, key, customer_id, run_id)
    SELECT $1, $3, c.id, $2 FROM customers c WHERE c.id = ANY ($4::uuid[]) AND c.status <> 'erased' ON CONFLICT DO NOTHING RETURNING 1
)
SELECT count(*)::int FROM happened;

-- name: score_mark  -- $1 campaign -> day, after: how far it has read the scores
SELECT day, after FROM campaign_score_marks WHERE campaign_id = $1;

-- name: set_score_mark  -- $1 campaign, $2 day, $3 customer (null: the whole day; as if he is erased)
-- The lock is against an erasure that has looked for marks of his already.
INSERT INTO campaign_score_marks (campaign_id, day, after)
VALUES ($1, $2, (SELECT id FROM customers WHERE id = $3 AND status <> 'erased' FOR KEY SHARE))
ON CONFLICT (campaign_id) DO UPDATE SET day = EXCLUDED.day, after = EXCLUDED.after;
