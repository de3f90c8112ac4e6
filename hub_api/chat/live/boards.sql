-- What the boards show: every queue, line and agent of the hub, read once for all who look. Who sees what is decided in boards.py.

-- name: queues  -- -> every active queue, and any that somebody is still in, with what is going on in it; by name
-- `lacks` are skills and languages that it asks for and nobody who serves it has. `breached` and `at_risk` are conversations under way whose nearest promise is broken, or near enough for its warning.
WITH under_way AS (
    SELECT c.queue_id, c.state, c.line_at, s.breached, s.at_risk
    FROM conversations c
    LEFT JOIN LATERAL (
        SELECT bool_or(s.breached_at IS NOT NULL OR s.due_at <= now()) AS breached, bool_or(s.warn_at <= now()) AS at_risk
        FROM sla_clocks s WHERE s.conversation_id = c.id AND s.ended_at IS NULL
    ) s ON true
    WHERE c.state IN ('queued', 'assigned', 'waiting_customer') AND c.queue_id IS NOT NULL
), counted AS (
    SELECT queue_id,
        count(*) FILTER (WHERE state = 'queued') AS waiting,
        min(line_at) FILTER (WHERE state = 'queued') AS oldest_waiting_at,
        count(*) FILTER (WHERE state = 'assigned') AS in_service,
        count(*) FILTER (WHERE state = 'waiting_customer') AS waiting_customer,
        count(*) FILTER (WHERE breached) AS breached,
        count(*) FILTER (WHERE at_risk AND NOT breached) AS at_risk
    FROM under_way GROUP BY queue_id
)
SELECT q.id, q.key, q.name, q.team_id, coalesce(c.waiting, 0) AS waiting, c.oldest_waiting_at,
    coalesce(c.in_service, 0) AS in_service, coalesce(c.waiting_customer, 0) AS waiting_customer,
    coalesce(c.breached, 0) AS breached, coalesce(c.at_risk, 0) AS at_risk,
    queue_lacks(q.id) AS lacks
FROM queues q LEFT JOIN counted c ON c.queue_id = q.id
WHERE q.active OR c.queue_id IS NOT NULL
ORDER BY q.name, q.id;

-- name: lines  -- $1 most of each queue -> who waits, in order of the line, with the place in it from 1 on
SELECT * FROM (
    SELECT c.id, c.queue_id, c.protocol, c.priority, c.line_at,
        row_number() OVER (PARTITION BY c.queue_id ORDER BY c.priority DESC, c.line_at, c.id) AS position,
        (SELECT min(s.due_at) FROM sla_clocks s WHERE s.conversation_id = c.id) AS sla_due_at
    FROM conversations c WHERE c.state = 'queued' AND c.queue_id IS NOT NULL
) AS line WHERE position <= $1 ORDER BY queue_id, position;

-- name: agents  -- -> who serves customers, with teams, presence, slots and load; by name
SELECT u.id AS user_id, u.name, coalesce(a.presence, 'offline') AS presence, a.presence_reason AS reason, a.presence_at AS since,
    h.seen_at, coalesce(a.capacity, 3) AS capacity, coalesce(l.load, 0) AS load,
    ARRAY(SELECT m.team_id FROM team_members m WHERE m.user_id = u.id) AS teams
FROM users u
LEFT JOIN agents a ON a.user_id = u.id
LEFT JOIN agent_heartbeats h ON h.user_id = u.id
LEFT JOIN (
    SELECT agent_id, count(*) AS load FROM conversations
    WHERE state IN ('assigned', 'waiting_customer') AND agent_id IS NOT NULL GROUP BY agent_id
) l ON l.agent_id = u.id
WHERE u.active AND (a.user_id IS NOT NULL OR u.role IN ('agent', 'supervisor'))
ORDER BY u.name, u.id;
