-- What operators see of the pool.

-- name: numbers  -- $1 after phone_number_id or null, $2 limit, $3 one number or null -> numbers with account, breaker, quota
SELECT n.id, n.phone_number_id, n.display_phone_number, n.verified_name, n.account_id, a.waba_id, a.name AS account,
    n.state, n.state_reason, n.state_source, n.state_at, n.paused_until, n.held_categories || a.held_categories AS held_categories,
    a.state AS account_state, a.state_reason AS account_reason, a.paused_until AS account_paused_until,
    n.quality, n.throughput_mps, n.throughput_level, n.meta_status, n.name_status, n.health, n.checked_at, n.check_failure,
    n.speed, n.speed_reason, coalesce(b.state, 'closed') AS breaker, b.reason AS breaker_reason, b.open_until AS breaker_open_until,
    a.portfolio_id, p.messaging_limit, p.quota_used, n.created_at
FROM whatsapp_numbers n
JOIN whatsapp_accounts a ON a.id = n.account_id
LEFT JOIN whatsapp_portfolios p ON p.portfolio_id = a.portfolio_id
LEFT JOIN circuit_breakers b ON b.kind = 'number' AND b.subject_id = n.id
WHERE ($1::text IS NULL OR n.phone_number_id > $1) AND ($3::uuid IS NULL OR n.id = $3)
ORDER BY n.phone_number_id LIMIT $2;

-- name: queues  -- $1 numbers -> number_id, priority, waiting, oldest_at of what waits, lane by lane
SELECT m.number_id, m.priority, count(*)::int AS waiting, min(m.created_at) AS oldest_at
FROM outbox m
WHERE m.state = 'queued' AND m.number_id = ANY ($1::uuid[]) AND m.priority BETWEEN 0 AND 3 AND m.shard BETWEEN 0 AND 63
GROUP BY m.number_id, m.priority;

-- name: outcomes  -- $1 numbers, $2 since -> number_id, outcome, code, count
SELECT number_id, outcome, code, sum(count)::int AS count FROM send_tally
WHERE at >= $2 AND number_id = ANY ($1::uuid[]) GROUP BY number_id, outcome, code;

-- name: breakers  -- -> every breaker that is not closed, with the name of what it stops
SELECT b.kind, b.subject_id, b.state, b.reason, b.openings, b.open_until, b.changed_at,
    coalesce(n.phone_number_id, a.waba_id, t.name || '/' || t.language) AS name
FROM circuit_breakers b
LEFT JOIN whatsapp_numbers n ON b.kind = 'number' AND n.id = b.subject_id
LEFT JOIN whatsapp_accounts a ON b.kind = 'account' AND a.id = b.subject_id
LEFT JOIN templates t ON b.kind = 'template' AND t.id = b.subject_id
WHERE b.state <> 'closed' ORDER BY b.kind, b.subject_id;

-- name: state_counts  -- -> state, count of numbers
SELECT state, count(*)::int AS count FROM whatsapp_numbers GROUP BY state;

-- name: parked  -- -> count of statuses whose message is not known
SELECT count(*)::int FROM parked_status;
