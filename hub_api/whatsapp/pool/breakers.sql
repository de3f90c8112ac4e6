-- Circuit breakers: what they look at, and what an open one stops.

-- name: recent  -- $1 since -> at, number_id, account_id, template_id (null: no template of ours), outcome, code, count
SELECT t.at, t.number_id, n.account_id, tp.id AS template_id, t.outcome, t.code, t.count
FROM send_tally t
JOIN whatsapp_numbers n ON n.id = t.number_id
LEFT JOIN templates tp ON tp.account_id = n.account_id AND tp.name = split_part(t.template, '/', 1)
    AND tp.language = split_part(t.template, '/', 2)
WHERE t.at >= $1 AND t.grain < 2 AND t.outcome IN ('accepted', 'refused', 'unknown', 'failed');

-- name: breakers  -- -> every breaker that is not closed; locked, so that two clocks do not judge at once
SELECT kind, subject_id, state, openings, open_until, reason, changed_at FROM circuit_breakers WHERE state <> 'closed'
ORDER BY kind, subject_id FOR UPDATE;

-- name: one_judge  -- whether this transaction may judge
SELECT pg_try_advisory_xact_lock(7215008, 1);

-- name: save  -- $1 kind, $2 subject, $3 state, $4 reason, $5 openings, $6 open_until, $7 at
INSERT INTO circuit_breakers (kind, subject_id, state, reason, openings, open_until, changed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (kind, subject_id) DO UPDATE SET
    state = excluded.state, reason = excluded.reason, openings = excluded.openings, open_until = excluded.open_until,
    changed_at = excluded.changed_at;

-- name: trickle  -- $1 number, $2 speed, $3 reason
UPDATE whatsapp_numbers SET speed = $2, speed_reason = $3 WHERE id = $1;

-- name: full_speed  -- $1 number: what the policy says, which went on looking
UPDATE whatsapp_numbers SET
    speed = coalesce((speed_policy ->> 'factor')::real, 1), speed_reason = speed_policy ->> 'reason'
WHERE id = $1;

-- name: numbers_of  -- $1 account -> id
SELECT id FROM whatsapp_numbers WHERE account_id = $1 AND state <> 'removed';

-- name: stop_template  -- $1 template, $2 until or null (it may go again)
UPDATE templates SET stopped_until = $2, trial_ids = '{}' WHERE id = $1;

-- name: try_template  -- $1 template, $2 how many, $3 until: a few of its waiting messages may go, the others wait on
WITH trial AS (
    SELECT o.id, o.created_at FROM templates t
    JOIN whatsapp_numbers n ON n.account_id = t.account_id
    JOIN outbox o ON o.number_id = n.id AND o.state = 'queued' AND o.type = 'template'
        AND o.priority BETWEEN 0 AND 3 AND o.shard BETWEEN 0 AND 63
    JOIN messages m ON m.id = o.id AND m.created_at = o.created_at
        AND m.payload #>> '{template,name}' = t.name AND m.payload #>> '{template,language,code}' = t.language
    WHERE t.id = $1
    LIMIT $2
), due AS (
    UPDATE messages m SET updated_at = now(), not_before = NULL, put_off = NULL FROM trial
    WHERE m.id = trial.id AND m.created_at = trial.created_at AND m.state = 'queued' AND m.put_off = 'template'
)
UPDATE templates SET stopped_until = $3, trial_ids = ARRAY(SELECT id FROM trial) WHERE id = $1;
