-- What PostgreSQL knows about what the warehouse counts.

-- name: seen_queues  -- $1 teams -> key of each queue of these teams or of none
SELECT key FROM queues WHERE team_id IS NULL OR team_id = ANY ($1::uuid[]) ORDER BY key;

-- name: team_people  -- $1 teams -> user_id of their members
SELECT DISTINCT user_id FROM team_members WHERE team_id = ANY ($1::uuid[]) ORDER BY user_id;

-- name: shown  -- $1 teams (null: all), $2 caller, $3 conversations -> those that the caller sees now: id, protocol, state, customer_name
SELECT c.id, c.protocol, c.state, customer.name AS customer_name
FROM conversations c
JOIN customers customer ON customer.id = c.customer_id
LEFT JOIN queues q ON q.id = c.queue_id
WHERE c.id = ANY ($3::uuid[]) AND sees($1::uuid[], $2::uuid, q.team_id, c.agent_id);

-- name: queue_names  -- $1 keys -> value, label
SELECT key AS value, name AS label FROM queues WHERE key = ANY ($1::text[]);

-- name: agent_names  -- $1 ids as text -> value, label
SELECT id::text AS value, name AS label FROM users WHERE id::text = ANY ($1::text[]);

-- name: number_names  -- $1 ids as text -> value, label: the number as people write it
SELECT id::text AS value, display_phone_number AS label FROM whatsapp_numbers WHERE id::text = ANY ($1::text[]);

-- name: segment_names  -- $1 ids as text -> value, label
SELECT id::text AS value, name AS label FROM segments WHERE id::text = ANY ($1::text[]);

-- name: baselines  -- -> every stored baseline
SELECT kpi, value, measured_from, measured_to, note, updated_at FROM kpi_baseline ORDER BY kpi;

-- name: baseline  -- $1 kpi -> the stored baseline, locked
SELECT kpi, value, measured_from, measured_to, note, updated_at FROM kpi_baseline WHERE kpi = $1 FOR UPDATE;

-- name: set_baseline  -- $1 kpi, $2 value, $3 first day, $4 last day, $5 note, $6 by whom
INSERT INTO kpi_baseline (kpi, value, measured_from, measured_to, note, set_by) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (kpi) DO UPDATE SET value = excluded.value, measured_from = excluded.measured_from, measured_to = excluded.measured_to,
    note = excluded.note, set_by = excluded.set_by, updated_at = now()
RETURNING kpi, value, measured_from, measured_to, note, updated_at;
