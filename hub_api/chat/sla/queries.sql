-- Promises of service and their clocks (migration 0045).

-- name: lock_following  -- -> true when nobody else follows the marks now
SELECT pg_try_advisory_xact_lock(hashtext('follow_sla_marks'));

-- name: next_marks  -- $1 limit -> in the order in which things happened
SELECT * FROM sla_marks ORDER BY id LIMIT $1;

-- name: delete_marks  -- $1 ids bigint[] of those that were followed
DELETE FROM sla_marks WHERE id = ANY ($1::bigint[]);

-- name: policies  -- -> every promise, also those that are not active: their clocks are ended by them
SELECT * FROM sla_policies;

-- name: queue_hours  -- -> id, business_hours, holidays_closed of every queue
SELECT id, business_hours, holidays_closed FROM queues;

-- name: find_clocks  -- $1 conversations uuid[] -> their clocks
SELECT * FROM sla_clocks WHERE conversation_id = ANY ($1);

-- name: known  -- $1 conversations uuid[] -> id, version, customer_id, priority, agent_id and queue of those that are there
SELECT c.id, c.version, c.customer_id, c.priority, c.agent_id, q.key AS queue FROM conversations c LEFT JOIN queues q ON q.id = c.queue_id
WHERE c.id = ANY ($1);

-- name: save_clock  -- $1 conversation, $2 target, $3 policy, $4 queue, $5 started_at, $6 running_since, $7 spent_s, $8 due_at, $9 warn_at, $10 warned_at, $11 breached_at, $12 ended_at
INSERT INTO sla_clocks (conversation_id, target, policy_id, queue_id, started_at, running_since, spent_s, due_at, warn_at,
                        warned_at, breached_at, ended_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT (conversation_id, target) DO UPDATE SET policy_id = excluded.policy_id, queue_id = excluded.queue_id,
    started_at = excluded.started_at, running_since = excluded.running_since, spent_s = excluded.spent_s,
    due_at = excluded.due_at, warn_at = excluded.warn_at, warned_at = excluded.warned_at,
    breached_at = excluded.breached_at, ended_at = excluded.ended_at;

-- name: breach  -- $1 due before, $2 limit -> clocks whose promise is broken since, each once
WITH due AS (
    SELECT conversation_id, target FROM sla_clocks WHERE due_at <= $1 AND breached_at IS NULL
    ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED
)
UPDATE sla_clocks s SET breached_at = s.due_at FROM due
WHERE s.conversation_id = due.conversation_id AND s.target = due.target
RETURNING s.conversation_id, s.target, s.policy_id, s.started_at, s.due_at;

-- name: warn  -- $1 now, $2 limit -> clocks that are about to break their promise, each once
WITH due AS (
    SELECT conversation_id, target FROM sla_clocks WHERE warn_at <= $1 AND warned_at IS NULL AND breached_at IS NULL
    ORDER BY warn_at LIMIT $2 FOR UPDATE SKIP LOCKED
)
UPDATE sla_clocks s SET warned_at = $1 FROM due
WHERE s.conversation_id = due.conversation_id AND s.target = due.target
RETURNING s.conversation_id, s.target, s.policy_id, s.started_at, s.due_at;

-- name: mark_open  -- conversations that people have now are looked at by the policies as they are now
INSERT INTO sla_marks (conversation_id, state, queue_id, priority, opened_at, line_at, first_response_at, unanswered_since)
SELECT id, state, queue_id, priority, opened_at, line_at, first_response_at, unanswered_since FROM conversations
WHERE state IN ('queued', 'assigned', 'waiting_customer') ORDER BY id FOR NO KEY UPDATE;

-- name: list_policies  -- $1 teams (null: all), $2 caller, $3 id of the last row before (null: from the first), $4 limit; by id
SELECT p.*, q.key AS queue FROM sla_policies p LEFT JOIN queues q ON q.id = p.queue_id
WHERE sees($1::uuid[], $2::uuid, q.team_id, NULL) AND ($3::uuid IS NULL OR p.id > $3) ORDER BY p.id LIMIT $4;

-- name: find_policy  -- $1 teams (null: all), $2 caller, $3 id -> as list_policies
SELECT p.*, q.key AS queue FROM sla_policies p LEFT JOIN queues q ON q.id = p.queue_id
WHERE p.id = $3 AND sees($1::uuid[], $2::uuid, q.team_id, NULL);

-- name: lock_policy  -- $1 id -> version; locked
SELECT version FROM sla_policies WHERE id = $1 FOR UPDATE;

-- name: insert_policy  -- $1 id, $2 name, $3 target, $4 queue, $5 priority, $6 seconds, $7 clock, $8 warn_before_s, $9 active
INSERT INTO sla_policies (id, name, target, queue_id, priority, seconds, clock, warn_before_s, active)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9);

-- name: set_policy  -- as insert_policy
UPDATE sla_policies SET name = $2, target = $3, queue_id = $4, priority = $5, seconds = $6, clock = $7, warn_before_s = $8,
    active = $9, version = version + 1 WHERE id = $1;

-- name: delete_policy  -- $1 id -> true; no row: it has clocks
DELETE FROM sla_policies p WHERE id = $1 AND NOT EXISTS (SELECT FROM sla_clocks s WHERE s.policy_id = p.id) RETURNING true;

-- name: clocks_of  -- $1 conversation -> its clocks with the name of their policy
SELECT s.*, p.name AS policy, p.seconds, p.clock FROM sla_clocks s LEFT JOIN sla_policies p ON p.id = s.policy_id
WHERE s.conversation_id = $1 ORDER BY s.target;
