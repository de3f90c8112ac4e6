-- Queues with their rules, and how each line stands.

-- name: list_queues  -- $1 teams (null: all), $2 caller, $3 id of the last row before (null: from the first), $4 limit -> queues with team and overflow by key, and how the line stands; by id
SELECT q.*, o.key AS overflow_queue, queue_lacks(q.id) AS lacks,
    (SELECT count(*) FROM conversations c WHERE c.queue_id = q.id AND c.state = 'queued') AS waiting,
    (SELECT min(c.line_at) FROM conversations c WHERE c.queue_id = q.id AND c.state = 'queued') AS oldest_waiting_at,
    (SELECT count(*) FROM assignments s WHERE s.queue_id = q.id AND s.assigned_at > now() - interval '1 hour') AS served_last_hour,
    (SELECT count(*) FROM agents a WHERE a.presence = 'online' AND (q.team_id IS NULL OR EXISTS (
        SELECT FROM team_members m WHERE m.user_id = a.user_id AND m.team_id = q.team_id))) AS agents_online
FROM queues q LEFT JOIN queues o ON o.id = q.overflow_queue_id
WHERE sees($1::uuid[], $2::uuid, q.team_id, NULL) AND ($3::uuid IS NULL OR q.id > $3)
ORDER BY q.id LIMIT $4;

-- name: find_queue  -- $1 teams (null: all), $2 caller, $3 key -> as list_queues
SELECT q.*, o.key AS overflow_queue, queue_lacks(q.id) AS lacks,
    (SELECT count(*) FROM conversations c WHERE c.queue_id = q.id AND c.state = 'queued') AS waiting,
    (SELECT min(c.line_at) FROM conversations c WHERE c.queue_id = q.id AND c.state = 'queued') AS oldest_waiting_at,
    (SELECT count(*) FROM assignments s WHERE s.queue_id = q.id AND s.assigned_at > now() - interval '1 hour') AS served_last_hour,
    (SELECT count(*) FROM agents a WHERE a.presence = 'online' AND (q.team_id IS NULL OR EXISTS (
        SELECT FROM team_members m WHERE m.user_id = a.user_id AND m.team_id = q.team_id))) AS agents_online
FROM queues q LEFT JOIN queues o ON o.id = q.overflow_queue_id
WHERE q.key = $3 AND sees($1::uuid[], $2::uuid, q.team_id, NULL);

-- name: one_at_a_time  -- changes of queues wait for each other: two must not close a circle of overflows
SELECT pg_advisory_xact_lock(hashtext('change_queue'));

-- name: lock_queue  -- $1 teams (null: all), $2 caller, $3 key -> the row; locked
SELECT * FROM queues q WHERE q.key = $3 AND sees($1::uuid[], $2::uuid, q.team_id, NULL) FOR UPDATE;

-- name: insert_queue  -- $1 id, $2 key, $3 team
INSERT INTO queues (id, key, name, team_id) VALUES ($1, $2, $2, $3);

-- name: no_default  -- $1 queue: another one than this is the default no more
UPDATE queues SET is_default = false, version = version + 1 WHERE is_default AND id <> $1;

-- name: set_rules  -- $1 queue, $2 name, $3 active, $4 is_default, $5 skills, $6 languages, $7 business_hours, $8 holidays_closed, $9 strategy, $10 overflow queue, $11 overflow_after_s, $12 escalate_after_s, $13 escalate_to, $14 on_lost, $15 keep_minutes, $16 waiting_text, $17 closed_text, $18 hook_url, $19 hook_timeout_ms, $20 disposition_required
UPDATE queues SET name = $2, active = $3, is_default = $4, skills = $5, languages = $6, business_hours = $7, holidays_closed = $8,
    strategy = $9, overflow_queue_id = $10, overflow_after_s = $11, escalate_after_s = $12, escalate_to = $13, on_lost = $14,
    keep_minutes = $15, waiting_text = $16, closed_text = $17, hook_url = $18, hook_timeout_ms = $19, disposition_required = $20, version = version + 1
WHERE id = $1;

-- name: overflow_chain  -- $1 queue -> ids of the queues to which its conversations go on, one after the other
WITH RECURSIVE chain AS (
    SELECT overflow_queue_id AS id, 1 AS steps FROM queues WHERE id = $1 AND overflow_queue_id IS NOT NULL
    UNION ALL
    SELECT q.overflow_queue_id, chain.steps + 1 FROM chain JOIN queues q ON q.id = chain.id
    WHERE q.overflow_queue_id IS NOT NULL AND chain.steps < 100
)
SELECT id FROM chain;

-- name: is_used  -- $1 queue -> why it cannot be deleted: conversations, assignments or queues refer to it; null: nothing does
SELECT CASE
    WHEN EXISTS (SELECT FROM conversations WHERE queue_id = $1) THEN 'conversations'
    WHEN EXISTS (SELECT FROM assignments WHERE queue_id = $1) THEN 'assignments'
    WHEN EXISTS (SELECT FROM queues WHERE overflow_queue_id = $1) THEN 'queues that overflow into it'
END;

-- name: delete_queue  -- $1 queue
DELETE FROM queues WHERE id = $1;
