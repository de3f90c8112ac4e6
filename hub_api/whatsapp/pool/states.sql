-- States of numbers and accounts as people change them; what refusals and webhooks do to them is in send/reactions.sql.
-- Transitions are enforced, and the history written, by the triggers of migration 0008.

-- name: drain  -- $1 number, $2 reason, $3 source -> state; one that is stopped drains when it may send again
UPDATE whatsapp_numbers SET
    draining_since = coalesce(draining_since, now()),
    state_reason = CASE WHEN state IN ('connected', 'limited') THEN $2 ELSE state_reason END,
    state_source = CASE WHEN state IN ('connected', 'limited') THEN $3 ELSE state_source END,
    state = CASE WHEN state IN ('connected', 'limited') THEN 'draining' ELSE state END
WHERE id = $1 AND state <> 'removed'
RETURNING state;

-- name: stop_draining  -- $1 number; resuming it then brings it back among the others
UPDATE whatsapp_numbers SET draining_since = NULL WHERE id = $1;

-- name: remove  -- $1 number, $2 reason, $3 source -> id; no row: unknown, removed before, or something waits for it
UPDATE whatsapp_numbers n SET state = 'removed', state_reason = $2, state_source = $3, paused_until = NULL, draining_since = NULL
WHERE n.id = $1 AND n.state <> 'removed'
    AND NOT EXISTS (SELECT FROM outbox m WHERE m.state = 'queued' AND m.number_id = n.id AND m.shard BETWEEN 0 AND 63 AND m.priority BETWEEN 0 AND 3)
    AND NOT EXISTS (SELECT FROM outbox m WHERE m.state = 'claimed' AND m.number_id = n.id)
RETURNING n.id;

-- name: find_number  -- $1 our id or Meta's -> id, state, state_reason, phone_number_id, account_id, token_encrypted
SELECT n.id, n.state, n.state_reason, n.phone_number_id, n.account_id, a.token_encrypted
FROM whatsapp_numbers n JOIN whatsapp_accounts a ON a.id = n.account_id
WHERE n.id::text = $1 OR n.phone_number_id = $1;

-- name: find_account  -- $1 account -> state, state_reason
SELECT state, state_reason FROM whatsapp_accounts WHERE id = $1;

-- name: number_history  -- $1 number, $2 below id or null, $3 limit -> changes of state, newest first
SELECT id, from_state, to_state, reason, source, at FROM whatsapp_number_history
WHERE number_id = $1 AND ($2::bigint IS NULL OR id < $2) ORDER BY id DESC LIMIT $3;

-- name: account_history  -- as number_history, of an account
SELECT id, from_state, to_state, reason, source, at FROM whatsapp_account_history
WHERE account_id = $1 AND ($2::bigint IS NULL OR id < $2) ORDER BY id DESC LIMIT $3;

-- name: registered  -- $1 number, $2 whether it is registered at Meta now, $3 source -> id
-- What stopped it for not being registered is over; another cause stays.
UPDATE whatsapp_numbers SET
    state = CASE WHEN NOT $2 THEN 'offline'
        WHEN state IN ('paused', 'offline') THEN number_state_without_pause(draining_since, held_until) ELSE state END,
    state_reason = CASE WHEN NOT $2 THEN 'deregistered' WHEN state IN ('paused', 'offline') THEN NULL ELSE state_reason END,
    state_source = $3,
    paused_until = CASE WHEN $2 AND state IN ('paused', 'offline') THEN NULL ELSE paused_until END,
    next_check_at = now()
WHERE id = $1 AND state <> 'removed'
RETURNING id;
