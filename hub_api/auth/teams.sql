-- name: list_teams  -- $1 teams (null: all) -> id, name, created_at, members, queues; by name
SELECT t.id, t.name, t.created_at,
    ARRAY(SELECT m.user_id FROM team_members m WHERE m.team_id = t.id ORDER BY m.user_id) AS members,
    ARRAY(SELECT q.key FROM queues q WHERE q.team_id = t.id ORDER BY q.key) AS queues
FROM teams t WHERE $1::uuid[] IS NULL OR t.id = ANY ($1)
ORDER BY t.name;

-- name: find_team  -- $1 teams (null: all), $2 team -> as list_teams
SELECT t.id, t.name, t.created_at,
    ARRAY(SELECT m.user_id FROM team_members m WHERE m.team_id = t.id ORDER BY m.user_id) AS members,
    ARRAY(SELECT q.key FROM queues q WHERE q.team_id = t.id ORDER BY q.key) AS queues
FROM teams t WHERE t.id = $2 AND ($1::uuid[] IS NULL OR t.id = ANY ($1));

-- name: insert_team  -- $1 id, $2 name
INSERT INTO teams (id, name) VALUES ($1, $2);

-- name: rename_team  -- $1 id, $2 name
UPDATE teams SET name = $2 WHERE id = $1;

-- name: delete_team  -- $1 id
DELETE FROM teams WHERE id = $1;

-- name: user_exists  -- $1 user -> true
SELECT true FROM users WHERE id = $1;

-- name: add_member  -- $1 team, $2 user
INSERT INTO team_members (team_id, user_id) VALUES ($1, $2) ON CONFLICT DO NOTHING;

-- name: remove_member  -- $1 team, $2 user
DELETE FROM team_members WHERE team_id = $1 AND user_id = $2;

-- name: lock_queue  -- $1 key -> team_id; locked
SELECT team_id FROM queues WHERE key = $1 FOR UPDATE;

-- name: set_queue  -- $1 key, $2 team or null
UPDATE queues SET team_id = $2 WHERE key = $1;
