-- Benefits, costs and exchange rates (migration 0049).

-- name: insert  -- $1 id, $2 name, $3 kind, $4 amount_micros, $5 every, $6 valid_from, $7 valid_to or null, $8 source, $9 is_example, $10 actor
INSERT INTO benefits_and_costs (id, name, kind, amount_micros, every, valid_from, valid_to, source, is_example, created_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10);

-- name: replace  -- $1 id, then as insert without actor
UPDATE benefits_and_costs SET name = $2, kind = $3, amount_micros = $4, every = $5, valid_from = $6, valid_to = $7, source = $8,
    is_example = $9
WHERE id = $1;

-- name: find  -- $1 id
SELECT * FROM benefits_and_costs WHERE id = $1;

-- name: lock  -- $1 id
SELECT * FROM benefits_and_costs WHERE id = $1 FOR UPDATE;

-- name: remove  -- $1 id
DELETE FROM benefits_and_costs WHERE id = $1;

-- name: list_entries  -- $1 after id or null, $2 limit -> oldest first
SELECT * FROM benefits_and_costs WHERE $1::uuid IS NULL OR id > $1 ORDER BY id LIMIT $2;

-- name: rate  -- $1 currency, $2 valid_from -> the rate, locked
SELECT currency, valid_from, brl_micros, source, updated_at FROM exchange_rates WHERE currency = $1 AND valid_from = $2 FOR UPDATE;

-- name: set_rate  -- $1 currency, $2 valid_from, $3 brl_micros, $4 source, $5 actor
INSERT INTO exchange_rates (currency, valid_from, brl_micros, source, set_by) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (currency, valid_from) DO UPDATE SET brl_micros = excluded.brl_micros, source = excluded.source, set_by = excluded.set_by
RETURNING currency, valid_from, brl_micros, source, updated_at;

-- name: remove_rate  -- $1 currency, $2 valid_from
DELETE FROM exchange_rates WHERE currency = $1 AND valid_from = $2;

-- name: list_rates  -- $1 currency and $2 day of the last one shown or null, $3 limit -> by currency, oldest first
SELECT currency, valid_from, brl_micros, source, updated_at FROM exchange_rates
WHERE $1::text IS NULL OR (currency, valid_from) > ($1, $2::date) ORDER BY currency, valid_from LIMIT $3;
