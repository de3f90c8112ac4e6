-- name: capacities  -- $1 accounts -> id, account_id, throughput_mps, speed, quality, state, held, portfolio_id, quota_left (null: no limit), waiting: what the router looks at
-- `waiting` is counted up to a bound: beyond it a number is simply full.
SELECT n.id, n.account_id, n.throughput_mps, n.speed, n.quality, n.state, n.held_categories || a.held_categories AS held,
    a.portfolio_id, greatest(p.messaging_limit - p.quota_used, 0) AS quota_left, backlog.waiting
FROM whatsapp_numbers n JOIN whatsapp_accounts a ON a.id = n.account_id
LEFT JOIN whatsapp_portfolios p ON p.portfolio_id = a.portfolio_id
CROSS JOIN LATERAL (
    SELECT count(*)::int AS waiting FROM (
        SELECT FROM outbox m
        WHERE m.state = 'queued' AND m.number_id = n.id AND m.priority BETWEEN 1 AND 3 AND m.shard BETWEEN 0 AND 63
        LIMIT 20000
    ) AS bounded
) AS backlog
WHERE n.account_id = ANY ($1::uuid[]) AND a.state = 'active' AND n.state IN ('connected', 'limited')
ORDER BY n.id;
