-- name: list_roles  -- -> every role
SELECT * FROM roles ORDER BY builtin DESC, name;

-- name: find_role  -- $1 name -> the row
SELECT * FROM roles WHERE name = $1;

-- name: lock_role  -- $1 name -> the row; locked
SELECT * FROM roles WHERE name = $1 FOR UPDATE;

-- name: insert_role  -- $1 name, $2 title, $3 permissions, $4 all_teams, $5 second_factor -> the row
INSERT INTO roles (name, title, permissions, all_teams, second_factor) VALUES ($1, $2, $3, $4, $5) RETURNING *;

-- name: update_role  -- $1 name, $2 title, $3 permissions, $4 all_teams, $5 second_factor -> the row
UPDATE roles SET title = $2, permissions = $3, all_teams = $4, second_factor = $5 WHERE name = $1 RETURNING *;

-- name: delete_role  -- $1 name
DELETE FROM roles WHERE name = $1;

-- name: users_of  -- $1 role -> id of its users
SELECT id FROM users WHERE role = $1;
