-- The claim of the router. Order of locks, here and wherever an agent is given or loses work (assign.py, agents/):
-- the queue's line, then agents by id, then conversations by id. Nobody who holds a conversation waits for an agent.

-- name: lock_line  -- $1 queue; one pass over a queue at a time: two would serve its line out of order
SELECT pg_advisory_xact_lock(hashtextextended('line:' || $1::uuid::text, 0));

-- name: waiting_queues  -- -> the queues in which somebody waits, each as its row
SELECT q.* FROM queues q WHERE EXISTS (SELECT FROM conversations c WHERE c.queue_id = q.id AND c.state = 'queued')
ORDER BY q.id;

-- name: without_queue  -- $1 limit -> ids of conversations that wait in no queue, in id order
SELECT id FROM conversations WHERE state = 'queued' AND queue_id IS NULL ORDER BY id LIMIT $1;

-- name: default_queue  -- -> key of where they wait instead: the default one, else the oldest that is active
SELECT key FROM queues WHERE active ORDER BY is_default DESC, created_at, id LIMIT 1;

-- name: candidates  -- $1 team (null: any), $2 seen after -> agents who are online with their load; not locked
-- `idle_since` is when he came online, got or ended something, whichever was last.
SELECT a.user_id AS agent_id, a.capacity, a.skills, a.languages, a.last_assigned_at,
    (SELECT count(*) FROM conversations c WHERE c.agent_id = a.user_id AND c.state IN ('assigned', 'waiting_customer')) AS load,
    greatest(a.presence_at, a.last_assigned_at,
        (SELECT max(released_at) FROM assignments s WHERE s.agent_id = a.user_id)) AS idle_since
FROM agents a
JOIN users u ON u.id = a.user_id AND u.active
JOIN agent_heartbeats h ON h.user_id = a.user_id AND h.seen_at > $2
WHERE a.presence = 'online'
    AND ($1::uuid IS NULL OR EXISTS (SELECT FROM team_members m WHERE m.user_id = a.user_id AND m.team_id = $1));

-- name: line  -- $1 queue, $2 priority, $3 line_at, $4 id of the last row before (null: from the first), $5 limit, $6 with the last agent -> who waits, in order; not locked
SELECT c.id, c.priority, c.line_at, c.wanted_skills, c.wanted_language, c.channel,
    CASE WHEN $6 THEN (
        SELECT s.agent_id FROM assignments s JOIN conversations p ON p.id = s.conversation_id
        WHERE p.customer_id = c.customer_id ORDER BY s.assigned_at DESC LIMIT 1
    ) END AS last_agent_id
FROM conversations c
WHERE c.state = 'queued' AND c.queue_id = $1
    AND ($4::uuid IS NULL OR (-c.priority, c.line_at, c.id) > (-$2::int, $3::timestamptz, $4))
ORDER BY c.priority DESC, c.line_at, c.id LIMIT $5;

-- name: lock_agents  -- $1 agents uuid[] -> those still online, locked in id order
SELECT a.user_id, a.capacity FROM agents a JOIN users u ON u.id = a.user_id
WHERE a.user_id = ANY($1) AND a.presence = 'online' AND u.active ORDER BY a.user_id FOR NO KEY UPDATE OF a;

-- name: loads  -- $1 agents uuid[] -> agent_id, load of those who have any; read once they are locked
SELECT agent_id, count(*) AS load FROM conversations
WHERE agent_id = ANY($1) AND state IN ('assigned', 'waiting_customer') GROUP BY agent_id;

-- name: lock_waiting  -- $1 conversations uuid[], $2 queue -> those that still wait there, locked in id order
SELECT id FROM conversations WHERE id = ANY($1) AND state = 'queued' AND queue_id = $2 ORDER BY id FOR NO KEY UPDATE;

-- name: past_overflow  -- $1 limit -> conversation and key of the queue to which it goes on
-- The time runs from when it came into this queue; its place in line is older and stays.
SELECT c.id, o.key, q.business_hours, q.holidays_closed FROM conversations c
JOIN queues q ON q.id = c.queue_id JOIN queues o ON o.id = q.overflow_queue_id AND o.active
WHERE c.state = 'queued' AND c.queued_at < now() - q.overflow_after_s * interval '1 second'
ORDER BY c.id LIMIT $1;

-- name: lock_past_overflow  -- $1 conversation -> its id while it still is; locked
SELECT c.id FROM conversations c JOIN queues q ON q.id = c.queue_id
WHERE c.id = $1 AND c.state = 'queued' AND c.queued_at < now() - q.overflow_after_s * interval '1 second'
FOR NO KEY UPDATE OF c;

-- name: lock_without_queue  -- $1 conversation -> true while it waits in no queue; locked
SELECT true FROM conversations WHERE id = $1 AND state = 'queued' AND queue_id IS NULL FOR NO KEY UPDATE;

-- name: lines  -- -> every queue's key, how many wait there, how long the first has, and how many of its wishes nobody meets
SELECT q.key, count(c.id) AS waiting, coalesce(extract(epoch FROM now() - min(c.line_at)), 0)::float8 AS oldest_s,
    cardinality(queue_lacks(q.id)) AS lacking
FROM queues q LEFT JOIN conversations c ON c.queue_id = q.id AND c.state = 'queued' GROUP BY q.id, q.key;

-- name: past_escalation  -- $1 limit -> conversation and the priority it gets
SELECT c.id, q.escalate_to, q.business_hours, q.holidays_closed FROM conversations c JOIN queues q ON q.id = c.queue_id
WHERE c.state = 'queued' AND c.priority < q.escalate_to AND c.queued_at < now() - q.escalate_after_s * interval '1 second'
ORDER BY c.id LIMIT $1;

-- name: escalate  -- $1 conversation, $2 priority -> version, customer_id, from; no row: it waits no more, or is as urgent
WITH before AS (SELECT id, priority FROM conversations WHERE id = $1 AND state = 'queued' AND priority < $2 FOR NO KEY UPDATE)
UPDATE conversations c SET priority = $2, version = version + 1 FROM before
WHERE c.id = before.id RETURNING c.version, c.customer_id, before.priority AS from_priority;

-- name: untold  -- $1 limit -> who waits and was not told yet, with what his queue says; in the order of lines
SELECT c.id, c.channel, c.queue_id, c.protocol, c.last_customer_message_at, c.line_at, q.waiting_text, q.closed_text, q.business_hours,
    q.holidays_closed
FROM conversations c JOIN queues q ON q.id = c.queue_id
WHERE c.state = 'queued' AND (c.told_place_at IS NULL OR c.told_place_at < c.line_at)
    AND (q.waiting_text IS NOT NULL OR q.closed_text IS NOT NULL)
ORDER BY c.id LIMIT $1;

-- name: take_untold  -- $1 conversation -> position (1: next), protocol and what the window needs; locked and marked; no row: told, or waits no more
WITH taken AS (
    UPDATE conversations SET told_place_at = now()
    WHERE id = $1 AND state = 'queued' AND (told_place_at IS NULL OR told_place_at < line_at)
    RETURNING id, queue_id, priority, line_at
)
SELECT 1 + (
    SELECT count(*) FROM conversations c
    WHERE c.state = 'queued' AND c.queue_id = t.queue_id AND (-c.priority, c.line_at, c.id) < (-t.priority, t.line_at, t.id)
) AS position FROM taken t;

-- name: pace  -- $1 queue -> how many it gave to agents in the last hour
SELECT count(*) FROM assignments WHERE queue_id = $1 AND assigned_at > now() - interval '1 hour';
