-- Agents, their presence and their work. Locks: an agent before his conversations (routing/queries.sql).

-- name: note_beats  -- $1 users uuid[] in order, $2 times timestamptz[]; who is no agent is passed over
INSERT INTO agent_heartbeats AS h (user_id, seen_at)
SELECT given.user_id, given.seen_at FROM unnest($1::uuid[], $2::timestamptz[]) AS given (user_id, seen_at)
JOIN agents a ON a.user_id = given.user_id ORDER BY given.user_id
ON CONFLICT (user_id) DO UPDATE SET seen_at = greatest(h.seen_at, excluded.seen_at);

-- name: make_agent  -- $1 user -> true when he is an active user; he is an agent from now on
WITH made AS (
    INSERT INTO agents (user_id) SELECT id FROM users WHERE id = $1 AND active ON CONFLICT (user_id) DO NOTHING
)
SELECT active FROM users WHERE id = $1;

-- name: lock_agent  -- $1 user -> the row; locked
SELECT * FROM agents WHERE user_id = $1 FOR NO KEY UPDATE;

-- name: set_presence  -- $1 user, $2 presence, $3 reason, $4 since -> the row
UPDATE agents SET presence = $2, presence_reason = $3, presence_at = $4, version = version + 1
WHERE user_id = $1 RETURNING *;

-- name: work_of  -- $1 user -> ids of the conversations that go back to their queues now that he is offline, locked in id order
-- What waits for its customer stays his until the customer writes; then it is found here. What he was given since by hand
-- is somebody's will. What he has written in since he got it is kept for him where the queue says so.
SELECT c.id FROM conversations c
JOIN agents a ON a.user_id = c.agent_id JOIN users u ON u.id = a.user_id LEFT JOIN queues q ON q.id = c.queue_id
WHERE c.agent_id = $1 AND c.state = 'assigned' AND a.presence = 'offline' AND c.assigned_at <= a.presence_at
    AND NOT (
        u.active AND q.on_lost = 'keep' AND clock_timestamp() < a.presence_at + q.keep_minutes * interval '1 minute'
        AND EXISTS (
            SELECT FROM messages m WHERE m.conversation_id = c.id AND m.created_at >= c.assigned_at AND m.author = 'agent'
        )
    )
ORDER BY c.id FOR NO KEY UPDATE OF c;

-- name: silent  -- $1 seen before, $2 limit -> agents who are there by their presence and not by their heartbeat, or no users any more
SELECT a.user_id FROM agents a JOIN users u ON u.id = a.user_id LEFT JOIN agent_heartbeats h ON h.user_id = a.user_id
WHERE a.presence <> 'offline' AND (h.seen_at IS NULL OR h.seen_at < $1 OR NOT u.active)
ORDER BY a.user_id LIMIT $2;

-- name: lock_silent  -- $1 user, $2 seen before -> his row and whether he is an active user; locked; no row: he is back
SELECT a.*, u.active FROM agents a JOIN users u ON u.id = a.user_id
WHERE a.user_id = $1 AND a.presence <> 'offline'
    AND (NOT u.active OR NOT EXISTS (SELECT FROM agent_heartbeats h WHERE h.user_id = a.user_id AND h.seen_at >= $2))
FOR NO KEY UPDATE OF a;

-- name: stranded  -- $1 limit -> users who are offline and have conversations that go back to their queues (as in work_of)
SELECT DISTINCT c.agent_id AS user_id FROM conversations c
JOIN agents a ON a.user_id = c.agent_id JOIN users u ON u.id = a.user_id LEFT JOIN queues q ON q.id = c.queue_id
WHERE c.state = 'assigned' AND a.presence = 'offline' AND c.assigned_at <= a.presence_at
    AND NOT (
        u.active AND q.on_lost = 'keep' AND clock_timestamp() < a.presence_at + q.keep_minutes * interval '1 minute'
        AND EXISTS (
            SELECT FROM messages m WHERE m.conversation_id = c.id AND m.created_at >= c.assigned_at AND m.author = 'agent'
        )
    )
ORDER BY c.agent_id LIMIT $1;

-- name: list_agents  -- $1 teams (null: all), $2 caller, $3 presence (null: any), $4 id of the last row before (null: from the first), $5 limit; by id
SELECT u.id AS user_id, u.name, coalesce(a.capacity, 3) AS capacity, coalesce(a.skills, '{}') AS skills,
    coalesce(a.languages, '{pt_BR}') AS languages, coalesce(a.presence, 'offline') AS presence, a.presence_reason, a.presence_at,
    h.seen_at, a.last_assigned_at, coalesce(a.version, 0) AS version,
    (SELECT count(*) FROM conversations c WHERE c.agent_id = u.id AND c.state IN ('assigned', 'waiting_customer')) AS load
FROM users u LEFT JOIN agents a ON a.user_id = u.id LEFT JOIN agent_heartbeats h ON h.user_id = u.id
WHERE u.active AND (a.user_id IS NOT NULL OR u.role IN ('agent', 'supervisor'))
    AND ($1::uuid[] IS NULL OR u.id = $2::uuid
        OR EXISTS (SELECT FROM team_members m WHERE m.user_id = u.id AND m.team_id = ANY ($1)))
    AND ($3::text IS NULL OR coalesce(a.presence, 'offline') = $3)
    AND ($4::uuid IS NULL OR u.id > $4)
ORDER BY u.id LIMIT $5;

-- name: find_agent  -- $1 teams (null: all), $2 caller, $3 user -> as list_agents
SELECT u.id AS user_id, u.name, coalesce(a.capacity, 3) AS capacity, coalesce(a.skills, '{}') AS skills,
    coalesce(a.languages, '{pt_BR}') AS languages, coalesce(a.presence, 'offline') AS presence, a.presence_reason, a.presence_at,
    h.seen_at, a.last_assigned_at, coalesce(a.version, 0) AS version,
    (SELECT count(*) FROM conversations c WHERE c.agent_id = u.id AND c.state IN ('assigned', 'waiting_customer')) AS load
FROM users u LEFT JOIN agents a ON a.user_id = u.id LEFT JOIN agent_heartbeats h ON h.user_id = u.id
WHERE u.id = $3 AND u.active
    AND ($1::uuid[] IS NULL OR u.id = $2::uuid
        OR EXISTS (SELECT FROM team_members m WHERE m.user_id = u.id AND m.team_id = ANY ($1)));

-- name: list_colleagues  -- $1 id of the last row before (null: from the first), $2 limit -> active users by id, with what is no secret among colleagues
SELECT u.id AS user_id, u.name, coalesce(a.presence, 'offline') AS presence FROM users u LEFT JOIN agents a ON a.user_id = u.id
WHERE u.active AND ($1::uuid IS NULL OR u.id > $1) ORDER BY u.id LIMIT $2;

-- name: set_profile  -- $1 user, $2 capacity, $3 skills, $4 languages, $5 version or null (any) -> the row; no row: changed since
UPDATE agents SET capacity = $2, skills = $3, languages = $4, version = version + 1
WHERE user_id = $1 AND ($5::bigint IS NULL OR version = $5) RETURNING *;
