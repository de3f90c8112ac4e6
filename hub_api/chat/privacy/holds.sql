-- Legal holds (migration 0032).

-- name: lock_customer  -- $1 id, also of one that was merged -> id, erasing: whether he is erased or about to be; locked
SELECT c.id, c.status = 'erased' OR EXISTS (SELECT FROM erasures e WHERE e.customer_id = c.id AND e.state <> 'done') AS erasing
FROM customers c WHERE c.id = (SELECT coalesce(merged_into, id) FROM customers WHERE id = $1) FOR UPDATE;

-- name: has_conversation  -- $1 customer, $2 conversation
SELECT EXISTS (SELECT FROM conversations WHERE id = $2 AND customer_id = $1);

-- name: place  -- $1 id, $2 customer, $3 conversation or null, $4 reason, $5 legal_basis, $6 actor
INSERT INTO legal_holds (id, customer_id, conversation_id, reason, legal_basis, placed_by) VALUES ($1, $2, $3, $4, $5, $6);

-- name: lock_hold  -- $1 id -> customer_id, released_at; locked
SELECT customer_id, released_at FROM legal_holds WHERE id = $1 FOR UPDATE;

-- name: release  -- $1 id, $2 actor
UPDATE legal_holds SET released_at = now(), released_by = $2 WHERE id = $1;

-- name: in_force  -- $1 customer -> ids
SELECT id FROM legal_holds WHERE customer_id = $1 AND released_at IS NULL ORDER BY id;

-- name: find  -- $1 id
SELECT id, customer_id, conversation_id, reason, legal_basis, placed_by, released_by, created_at, released_at
FROM legal_holds WHERE id = $1;

-- name: list_holds  -- $1 in force (null: all), $2 customer (null: all), $3 id of the last row before (null: from the newest), $4 limit
SELECT id, customer_id, conversation_id, reason, legal_basis, placed_by, released_by, created_at, released_at
FROM legal_holds
WHERE ($1::boolean IS NULL OR (released_at IS NULL) = $1) AND ($2::uuid IS NULL OR customer_id = $2)
    AND ($3::uuid IS NULL OR id < $3)
ORDER BY id DESC LIMIT $4;
