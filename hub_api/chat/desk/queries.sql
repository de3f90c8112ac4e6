-- What agents do beside answering (migration 0046).

-- name: snooze  -- $1 conversation, $2 until or null -> customer_id, version; no row: nobody has it
UPDATE conversations SET snoozed_until = $2, version = version + 1
WHERE id = $1 AND state IN ('assigned', 'waiting_customer') RETURNING customer_id, version, agent_id;

-- name: wake  -- $1 now, $2 limit -> conversations whose time has come
WITH due AS (
    SELECT id FROM conversations WHERE snoozed_until <= $1 ORDER BY snoozed_until LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE conversations c SET snoozed_until = NULL, version = version + 1 FROM due WHERE c.id = due.id
RETURNING c.id, c.customer_id, c.version, c.agent_id;

-- name: mark_spam  -- $1 conversation
UPDATE conversations SET spam_at = now() WHERE id = $1;

-- name: list_dispositions  -- -> outcomes by name
SELECT key, name, active FROM dispositions ORDER BY name, key;

-- name: put_disposition  -- $1 key, $2 name, $3 active -> what it was; no row: new
WITH before AS (SELECT key, name, active FROM dispositions WHERE key = $1 FOR UPDATE), made AS (
    INSERT INTO dispositions (key, name, active) VALUES ($1, $2, $3)
    ON CONFLICT (key) DO UPDATE SET name = excluded.name, active = excluded.active
)
SELECT name, active FROM before;

-- name: wants_disposition  -- $1 conversation -> whether its queue wants an outcome, it has none, and there is one to choose
SELECT q.disposition_required AND c.disposition IS NULL AND EXISTS (SELECT FROM dispositions d WHERE d.active)
FROM conversations c JOIN queues q ON q.id = c.queue_id WHERE c.id = $1;

-- name: is_disposition  -- $1 key -> true; no row: unknown or not active
SELECT true FROM dispositions WHERE key = $1 AND active;

-- name: set_disposition  -- $1 conversation, $2 key -> customer_id, version
UPDATE conversations SET disposition = $2, version = version + 1 WHERE id = $1 RETURNING customer_id, version;

-- name: inactive_users  -- $1 users uuid[] -> those that are no active users
SELECT given.id FROM unnest($1::uuid[]) AS given (id) WHERE NOT EXISTS (SELECT FROM users u WHERE u.id = given.id AND u.active);

-- name: insert_note  -- $1 id, $2 conversation, $3 author or null, $4 text, $5 mentions uuid[]
INSERT INTO notes (id, conversation_id, author_id, text, mentions) VALUES ($1, $2, $3, $4, $5);

-- name: find_note  -- $1 id -> as list_notes
SELECT n.*, u.name AS author FROM notes n LEFT JOIN users u ON u.id = n.author_id WHERE n.id = $1;

-- name: list_notes  -- $1 conversation (with those that were merged into it), $2 id of the last row before (null: from the newest), $3 limit; newest first
SELECT n.*, u.name AS author FROM notes n LEFT JOIN users u ON u.id = n.author_id
WHERE n.conversation_id = ANY (ARRAY(SELECT $1::uuid UNION ALL SELECT id FROM conversations WHERE merged_into = $1))
    AND ($2::uuid IS NULL OR n.id < $2) ORDER BY n.id DESC LIMIT $3;

-- name: list_mentions  -- $1 teams (null: all), $2 caller, $3 id of the last row before (null: from the newest), $4 limit -> notes that name the caller, of conversations that he sees; newest first
SELECT n.*, u.name AS author FROM notes n
JOIN conversations c ON c.id = n.conversation_id LEFT JOIN queues q ON q.id = c.queue_id LEFT JOIN users u ON u.id = n.author_id
WHERE n.mentions @> ARRAY[$2::uuid] AND sees($1::uuid[], $2::uuid, q.team_id, c.agent_id) AND ($3::uuid IS NULL OR n.id < $3)
ORDER BY n.id DESC LIMIT $4;

-- name: list_canned  -- $1 teams (null: all), $2 caller, $3 beginning of a shortcut, % and _ escaped, $4 id of the last row before (null: from the first), $5 limit; by id
SELECT * FROM canned_replies r WHERE sees($1::uuid[], $2::uuid, r.team_id, NULL) AND r.shortcut LIKE $3 || '%'
    AND ($4::uuid IS NULL OR r.id > $4) ORDER BY r.id LIMIT $5;

-- name: find_canned  -- $1 teams (null: all), $2 caller, $3 id
SELECT * FROM canned_replies r WHERE r.id = $3 AND sees($1::uuid[], $2::uuid, r.team_id, NULL);

-- name: insert_canned  -- $1 id, $2 shortcut, $3 title, $4 text, $5 team
INSERT INTO canned_replies (id, shortcut, title, text, team_id) VALUES ($1, $2, $3, $4, $5);

-- name: set_canned  -- as insert_canned, $6 version or null (any) -> version; no row: changed since
UPDATE canned_replies SET shortcut = $2, title = $3, text = $4, team_id = $5, version = version + 1
WHERE id = $1 AND ($6::bigint IS NULL OR version = $6) RETURNING version;

-- name: delete_canned  -- $1 id
DELETE FROM canned_replies WHERE id = $1;

-- name: words_of  -- $1 conversation, $2 user -> what a canned reply may name
SELECT c.protocol, customer.name AS customer, q.name AS queue, u.name AS agent
FROM conversations c JOIN customers customer ON customer.id = c.customer_id LEFT JOIN queues q ON q.id = c.queue_id
LEFT JOIN users u ON u.id = $2 WHERE c.id = $1;

-- name: label  -- $1 conversation, $2 priority, $3 tags -> the row
UPDATE conversations SET priority = $2, tags = $3, version = version + 1 WHERE id = $1 RETURNING *;

-- name: insert_scheduled  -- $1 id, $2 conversation, $3 author or null, $4 text, $5 send_at, $6 unless the customer writes
INSERT INTO scheduled_replies (id, conversation_id, author_id, text, send_at, unless_customer_writes) VALUES ($1, $2, $3, $4, $5, $6);

-- name: lock_scheduled  -- $1 id -> the row; locked
SELECT * FROM scheduled_replies WHERE id = $1 FOR UPDATE;

-- name: end_scheduled  -- $1 id, $2 state, $3 failure or null, $4 message or null
UPDATE scheduled_replies SET state = $2, failure = $3, message_id = $4 WHERE id = $1;

-- name: due_scheduled  -- $1 limit -> id, conversation_id of those whose time has come
SELECT id, conversation_id FROM scheduled_replies WHERE state = 'waiting' AND send_at <= now() ORDER BY send_at LIMIT $1;

-- name: list_scheduled  -- $1 conversation -> newest first
SELECT r.*, u.name AS author FROM scheduled_replies r LEFT JOIN users u ON u.id = r.author_id
WHERE r.conversation_id = $1 ORDER BY r.id DESC LIMIT 200;

-- name: find_scheduled  -- $1 id -> as list_scheduled
SELECT r.*, u.name AS author FROM scheduled_replies r LEFT JOIN users u ON u.id = r.author_id WHERE r.id = $1;

-- name: list_macros  -- $1 teams (null: all), $2 caller, $3 id of the last row before (null: from the first), $4 limit; by id
SELECT * FROM macros m WHERE sees($1::uuid[], $2::uuid, m.team_id, NULL) AND ($3::uuid IS NULL OR m.id > $3)
ORDER BY m.id LIMIT $4;

-- name: find_macro  -- $1 teams (null: all), $2 caller, $3 id
SELECT * FROM macros m WHERE m.id = $3 AND sees($1::uuid[], $2::uuid, m.team_id, NULL);

-- name: insert_macro  -- $1 id, $2 name, $3 team, $4 steps
INSERT INTO macros (id, name, team_id, steps) VALUES ($1, $2, $3, $4);

-- name: set_macro  -- as insert_macro, $5 version or null (any) -> version; no row: changed since
UPDATE macros SET name = $2, team_id = $3, steps = $4, version = version + 1
WHERE id = $1 AND ($5::bigint IS NULL OR version = $5) RETURNING version;

-- name: delete_macro  -- $1 id
DELETE FROM macros WHERE id = $1;
