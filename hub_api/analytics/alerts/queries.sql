-- Alerts on key figures (migration 0043).

-- name: insert  -- $1 id, $2 name, $3 kpi, $4 comparison, $5 threshold, $6 days, $7 emails, $8 active, $9 actor
INSERT INTO kpi_alerts (id, name, kpi, comparison, threshold, days, emails, active, created_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9);

-- name: replace  -- $1 id, then as insert without actor; what it had found is looked at anew
UPDATE kpi_alerts SET name = $2, kpi = $3, comparison = $4, threshold = $5, days = $6, emails = $7, active = $8,
    state = 'quiet', value = NULL, changed_at = NULL, checked_at = NULL, updated_at = now()
WHERE id = $1;

-- name: find  -- $1 id
SELECT * FROM kpi_alerts WHERE id = $1;

-- name: lock  -- $1 id
SELECT * FROM kpi_alerts WHERE id = $1 FOR UPDATE;

-- name: remove  -- $1 id
DELETE FROM kpi_alerts WHERE id = $1;

-- name: list_alerts  -- $1 after id or null, $2 limit -> oldest first
SELECT * FROM kpi_alerts WHERE $1::uuid IS NULL OR id > $1 ORDER BY id LIMIT $2;

-- name: active  -- -> alerts to look at
SELECT * FROM kpi_alerts WHERE active ORDER BY id;

-- name: looked  -- $1 id, $2 value or null, $3 state, $4 the state it was in -> true: no other look came between
UPDATE kpi_alerts SET value = $2, checked_at = now(), state = $3, changed_at = CASE WHEN $3 = $4 THEN changed_at ELSE now() END
WHERE id = $1 AND state = $4 AND active RETURNING true;
