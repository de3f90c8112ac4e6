-- Reading the health of numbers at Meta on a clock.

-- name: due_checks  -- $1 limit -> id, account_id, phone_number_id, tells_account (the account's first number) of numbers whose turn has come; their turn is put off at once
UPDATE whatsapp_numbers n SET next_check_at = now() + interval '5 minutes'
FROM (
    SELECT id FROM whatsapp_numbers WHERE next_check_at <= now() AND state <> 'removed'
    ORDER BY next_check_at LIMIT $1 FOR UPDATE SKIP LOCKED
) AS due
WHERE n.id = due.id
RETURNING n.id, n.account_id, n.phone_number_id, NOT EXISTS (
    SELECT FROM whatsapp_numbers o
    WHERE o.account_id = n.account_id AND o.phone_number_id < n.phone_number_id AND o.state <> 'removed'
) AS tells_account;

-- name: record_health  -- $1 number, $2 status, $3 quality, $4 throughput level, $5 verified name, $6 name status, $7 health, $8 next check
UPDATE whatsapp_numbers SET
    meta_status = $2,
    quality = coalesce($3, quality),
    quality_at = CASE WHEN $3::text IS DISTINCT FROM quality AND $3 IS NOT NULL THEN now() ELSE quality_at END,
    throughput_level = $4,
    throughput_mps = CASE WHEN $4 = 'HIGH' THEN greatest(throughput_mps, 1000) WHEN $4 = 'STANDARD' THEN least(throughput_mps, 80)
        ELSE throughput_mps END,
    verified_name = coalesce($5, verified_name),
    name_status = coalesce($6, name_status),
    health = $7,
    checked_at = now(),
    check_failure = NULL,
    next_check_at = $8
WHERE id = $1
RETURNING state, state_source;

-- name: record_failure  -- $1 number, $2 why, $3 next check
UPDATE whatsapp_numbers SET check_failure = $2, next_check_at = $3 WHERE id = $1;

-- name: account_state  -- $1 account -> state, state_source
SELECT state, state_source FROM whatsapp_accounts WHERE id = $1;
