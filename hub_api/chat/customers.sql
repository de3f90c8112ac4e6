-- name: find_holders  -- $1 kinds, $2 values, $3 portfolios -> kind, value, portfolio_id, customer_id of who holds or held them
-- Two index scans: each partial index serves one half.
SELECT i.kind, i.value, i.portfolio_id, i.customer_id
FROM unnest($1::text[], $2::text[], $3::text[]) AS wanted (kind, value, portfolio_id)
JOIN customer_identities i USING (kind, value, portfolio_id) WHERE i.valid_to IS NULL
UNION
SELECT i.kind, i.value, i.portfolio_id, i.customer_id
FROM unnest($1::text[], $2::text[], $3::text[]) AS wanted (kind, value, portfolio_id)
JOIN customer_identities i USING (kind, value, portfolio_id) WHERE i.valid_to IS NOT NULL;

-- name: lock_customers  -- $1 ids -> rows, locked in id order so that two workers cannot wait for each other
SELECT id, created_at, shard_id, version, name, username, phone, state_code, merged_into
FROM customers WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE;

-- name: load_identities  -- $1 customers -> customer_id, kind, value, portfolio_id, valid_from, valid_to
SELECT customer_id, kind, value, portfolio_id, valid_from, valid_to
FROM customer_identities WHERE customer_id = ANY($1::uuid[]);

-- name: insert_customers  -- $1 ids, $2 shards, $3 names, $4 usernames, $5 phones, $6 states
INSERT INTO customers (id, shard_id, name, username, phone, state_code)
SELECT * FROM unnest($1::uuid[], $2::smallint[], $3::text[], $4::text[], $5::text[], $6::text[]);

-- name: update_customers  -- $1 ids, $2 versions, $3 names, $4 usernames, $5 phones, $6 states; the rows are locked
-- What was corrected by hand stays.
UPDATE customers c SET version = row.version, username = row.username, phone = row.phone,
    name = CASE WHEN 'name' = ANY(c.corrected) THEN c.name ELSE row.name END,
    state_code = CASE WHEN 'state_code' = ANY(c.corrected) THEN c.state_code ELSE row.state_code END
FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[])
    AS row (id, version, name, username, phone, state_code)
WHERE c.id = row.id;

-- name: end_identities  -- $1 kinds, $2 values, $3 portfolios, $4 ends
UPDATE customer_identities i SET valid_to = ended.at
FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[]) AS ended (kind, value, portfolio_id, at)
WHERE i.kind = ended.kind AND i.value = ended.value AND i.portfolio_id = ended.portfolio_id AND i.valid_to IS NULL;

-- name: restart_identities  -- $1 kinds, $2 values, $3 portfolios, $4 beginnings: a newer payload confirmed them
UPDATE customer_identities i SET valid_from = begun.at
FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[]) AS begun (kind, value, portfolio_id, at)
WHERE i.kind = begun.kind AND i.value = begun.value AND i.portfolio_id = begun.portfolio_id AND i.valid_to IS NULL;

-- name: insert_identities  -- $1 ids, $2 customers, $3 kinds, $4 values, $5 portfolios, $6 beginnings, $7 ends -> how many were new
WITH made AS (
    INSERT INTO customer_identities (id, customer_id, kind, value, portfolio_id, valid_from, valid_to)
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::timestamptz[])
    ON CONFLICT (kind, value, portfolio_id) WHERE valid_to IS NULL DO NOTHING
    RETURNING 1
)
SELECT count(*) FROM made;
