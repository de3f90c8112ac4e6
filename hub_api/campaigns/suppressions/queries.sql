-- Suppression lists, and what follows from them for sending.

-- name: put_entries  -- $1 ids, $2 lists, $3 hashes, $4 scopes, $5 reasons, $6 untils, $7 actor, $8 phones, $9 customers -> id, customer_id, new
-- One array a column, a phone or a customer each. A number that is on the list already gets the scope, reason and end told now.
INSERT INTO suppression_entries AS entry (id, list, identity_hash, customer_id, scope, reason, until, created_by)
SELECT r.id, r.list, r.hash, coalesce(r.customer_id, i.customer_id), r.scope, r.reason, r.until, $7
FROM unnest($1::uuid[], $2::text[], $3::bytea[], $4::text[], $5::text[], $6::timestamptz[], $8::text[], $9::uuid[])
    AS r (id, list, hash, scope, reason, until, phone, customer_id)
LEFT JOIN customer_identities i ON i.kind = 'phone' AND i.value = r.phone AND i.portfolio_id = '' AND i.valid_to IS NULL
ON CONFLICT (list, identity_hash) DO UPDATE SET
    scope = excluded.scope, reason = excluded.reason, until = excluded.until,
    customer_id = coalesce(excluded.customer_id, entry.customer_id)
WHERE (entry.scope, entry.reason, entry.until, entry.customer_id)
    IS DISTINCT FROM (excluded.scope, excluded.reason, excluded.until, coalesce(excluded.customer_id, entry.customer_id))
RETURNING id, customer_id, xmax = 0 AS new;

-- name: find_person  -- $1 customer -> id he has now, phone; no row for nobody, or who was erased
SELECT now_is.id, now_is.phone FROM customers c JOIN customers now_is ON now_is.id = coalesce(c.merged_into, c.id)
WHERE c.id = $1 AND now_is.status <> 'erased';

-- name: find_hash  -- $1 list, $2 hash -> the entry
SELECT id FROM suppression_entries WHERE list = $1 AND identity_hash = $2;

-- name: find_entry  -- $1 id
SELECT id, list, customer_id, scope, reason, until, created_by, created_at, updated_at FROM suppression_entries WHERE id = $1;

-- name: lock_entry  -- $1 id -> it, locked
SELECT id, list, customer_id, scope, reason, until FROM suppression_entries WHERE id = $1 FOR UPDATE;

-- name: change_entry  -- $1 id, $2 scope, $3 reason, $4 until
UPDATE suppression_entries SET scope = $2, reason = $3, until = $4 WHERE id = $1;

-- name: delete_entry  -- $1 id
DELETE FROM suppression_entries WHERE id = $1;

-- name: list_entries  -- $1 list or null, $2 customer or null, $3 whether those that have ended too, $4 id of the last row before or null, $5 limit
SELECT id, list, customer_id, scope, reason, until, created_by, created_at, updated_at FROM suppression_entries
WHERE ($1::text IS NULL OR list = $1) AND ($2::uuid IS NULL OR customer_id = $2) AND ($3 OR until IS NULL OR until > now())
    AND ($4::uuid IS NULL OR id < $4)
ORDER BY id DESC LIMIT $5;

-- name: lists  -- -> each list with its numbers in force, and those of them that belong to a customer
SELECT list, count(*) AS entries, count(customer_id) AS customers, max(updated_at) AS updated_at
FROM suppression_entries WHERE until IS NULL OR until > now()
GROUP BY list ORDER BY list LIMIT 1000;

-- name: lock_customer  -- $1 customer: as the ledger of consent does before it changes what is stopped
SELECT id FROM customers WHERE id = $1 FOR NO KEY UPDATE;

-- name: drop_listed  -- $1 customer: what lists stopped -> scopes
DELETE FROM suppressions WHERE customer_id = $1 AND reason = 'suppression_list' RETURNING scope;

-- name: listed_scopes  -- $1 customer -> scope, until (null: open end) of what lists stop now
SELECT scope, CASE WHEN bool_or(until IS NULL) THEN NULL ELSE max(until) END AS until FROM suppression_entries
WHERE customer_id = $1 AND (until IS NULL OR until > now()) GROUP BY scope;

-- name: standing_refusals  -- $1 customer -> scope, source of what he refused and never took back
SELECT r.scope, (array_agg(r.source ORDER BY r.occurred_at DESC))[1] AS source FROM consent_ledger r
WHERE r.customer_id = $1 AND NOT r.granted AND NOT EXISTS (
    SELECT FROM consent_ledger g
    WHERE g.customer_id = $1 AND g.granted AND g.occurred_at >= r.occurred_at
        AND (g.scope = r.scope OR 'all' IN (g.scope, r.scope))
)
GROUP BY r.scope;

-- name: any_unmatched  -- -> whether a list has a number that is nobody's here
SELECT EXISTS (SELECT FROM suppression_entries WHERE customer_id IS NULL);

-- name: match_mark  -- -> up to when new numbers were compared; locked, so that one process looks at a time
SELECT matched_until FROM suppression_match WHERE name = 'phones' FOR UPDATE;

-- name: new_phones  -- $1 since, $2 limit -> customer_id, value, created_at of numbers that came since, oldest first
SELECT customer_id, value, created_at FROM customer_identities
WHERE kind = 'phone' AND portfolio_id = '' AND valid_to IS NULL AND created_at >= $1
ORDER BY created_at, id LIMIT $2;

-- name: match  -- $1 hashes, $2 customers, one each -> customers found on a list
UPDATE suppression_entries e SET customer_id = r.customer_id
FROM unnest($1::bytea[], $2::uuid[]) AS r (hash, customer_id)
WHERE e.identity_hash = r.hash AND e.customer_id IS NULL
RETURNING e.customer_id;

-- name: set_mark  -- $1 moment
UPDATE suppression_match SET matched_until = greatest(matched_until, $1) WHERE name = 'phones';
