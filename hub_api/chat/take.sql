-- name: first_waiting  -- $1 teams (null: all), $2 caller, $3 queue key (null: any) -> id of who waits longest at the highest priority of what the caller sees; locked
-- What another agent is taking at this moment is passed over: two never get the same.
SELECT c.id FROM conversations c LEFT JOIN queues q ON q.id = c.queue_id
WHERE c.state = 'queued' AND sees($1::uuid[], $2::uuid, q.team_id, c.agent_id) AND ($3::text IS NULL OR q.key = $3)
ORDER BY c.priority DESC, c.line_at, c.id LIMIT 1 FOR NO KEY UPDATE OF c SKIP LOCKED;
