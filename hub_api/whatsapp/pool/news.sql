-- What Meta's webhooks say of accounts, numbers and flows.

-- name: note_account  -- $1 waba_id, $2 Meta's time -> id, state, state_source; no row: not ours, or older than what was applied last
UPDATE whatsapp_accounts SET news_at = $2 WHERE waba_id = $1 AND (news_at IS NULL OR news_at <= $2)
RETURNING id, state, state_source;

-- name: numbers_by_display  -- $1 waba_id, $2 the number's digits with and without the ninth -> id, phone_number_id, state_reason
SELECT n.id, n.phone_number_id, n.state_reason FROM whatsapp_numbers n JOIN whatsapp_accounts a ON a.id = n.account_id
WHERE a.waba_id = $1 AND n.state <> 'removed' AND regexp_replace(n.display_phone_number, '\D', '', 'g') = ANY ($2::text[]);

-- name: note_quality  -- $1 number, $2 quality or null, $3 messages a second or null
-- A webhook says little: the health is read again soon.
UPDATE whatsapp_numbers SET
    quality = coalesce($2, quality),
    quality_at = CASE WHEN $2 IS DISTINCT FROM quality AND $2::text IS NOT NULL THEN now() ELSE quality_at END,
    throughput_mps = greatest(throughput_mps, $3),
    throughput_level = CASE WHEN $3::int IS NULL THEN throughput_level ELSE 'HIGH' END,
    next_check_at = now()
WHERE id = $1;

-- name: note_name  -- $1 number, $2 decision, $3 the approved name or null
UPDATE whatsapp_numbers SET name_status = $2, verified_name = coalesce($3, verified_name), next_check_at = now() WHERE id = $1;

-- name: lift  -- $1 number, $2 source: what stopped it is over
UPDATE whatsapp_numbers SET
    state = number_state_without_pause(draining_since, held_until), state_reason = NULL, state_source = $2, paused_until = NULL
WHERE id = $1 AND state <> 'removed';

-- name: note_review  -- $1 account, $2 decision
UPDATE whatsapp_accounts SET review = $2 WHERE id = $1;

-- name: reinstate  -- $1 account, $2 source
UPDATE whatsapp_accounts SET state = 'active', state_reason = NULL, state_source = $2, paused_until = NULL WHERE id = $1;

-- name: note_flow  -- $1 waba_id, $2 flow_id, $3 status or null, $4 alert_state or null, $5 message -> account_id, status
INSERT INTO whatsapp_flows AS f (account_id, flow_id, status, alert_state, message)
SELECT id, $2, $3, $4, $5 FROM whatsapp_accounts WHERE waba_id = $1
ON CONFLICT (account_id, flow_id) DO UPDATE SET
    status = coalesce(excluded.status, f.status), alert_state = coalesce(excluded.alert_state, f.alert_state),
    message = excluded.message
RETURNING f.account_id, f.status;

-- name: waiting_with_flow  -- $1 account, $2 flow_id -> id, created_at of queued messages that show the flow
SELECT m.id, m.created_at FROM outbox o JOIN messages m ON m.id = o.id AND m.created_at = o.created_at
WHERE o.state = 'queued' AND o.type = 'interactive' AND o.priority BETWEEN 0 AND 3 AND o.shard BETWEEN 0 AND 63
    AND o.number_id IN (SELECT id FROM whatsapp_numbers WHERE account_id = $1)
    AND m.payload #>> '{interactive,action,parameters,flow_id}' = $2;

-- name: set_limit  -- $1 waba_id or null, $2 account or null, $3 users a day or null (unlimited)
UPDATE whatsapp_portfolios p SET messaging_limit = $3
FROM whatsapp_accounts a
WHERE (a.waba_id = $1 OR a.id = $2) AND p.portfolio_id = a.portfolio_id AND p.messaging_limit IS DISTINCT FROM $3;
