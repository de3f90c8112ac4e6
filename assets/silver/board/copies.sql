-- What people decide on the board, copied from PostgreSQL whole, each query in the column order of its table in the warehouse.
-- Times are UTC without a zone, as TabSeparated reads them; a date before 1900 is brought to that edge.

-- name: kpi_baseline  -- -> one row per stored baseline
SELECT kpi, value, CASE WHEN measured_from < '1900-01-01' THEN '1900-01-01' ELSE measured_from END,
    CASE WHEN measured_to < '1900-01-01' THEN '1900-01-01' ELSE measured_to END, note, updated_at AT TIME ZONE 'UTC'
FROM kpi_baseline;

-- name: benefits_and_costs  -- -> one row per benefit or cost
SELECT id, name, kind, amount_micros, every, greatest(valid_from, '1900-01-01'),
    CASE WHEN valid_to < '1900-01-01' THEN '1900-01-01' ELSE valid_to END, source, is_example, updated_at AT TIME ZONE 'UTC'
FROM benefits_and_costs;

-- name: exchange_rates  -- -> one row per rate
SELECT currency, greatest(valid_from, '1900-01-01'), brl_micros, source, updated_at AT TIME ZONE 'UTC' FROM exchange_rates;

-- name: service_levels  -- -> one row per hour; arrays as TabSeparated reads them
SELECT hour AT TIME ZONE 'UTC', requests, failures, '[' || array_to_string(bounds, ',') || ']',
    '[' || array_to_string(counts, ',') || ']', updated_at AT TIME ZONE 'UTC'
FROM service_levels;

-- name: segments  -- -> one row per segment, those put away too
SELECT id, name, version, archived_at IS NOT NULL, updated_at AT TIME ZONE 'UTC' FROM segments;

-- name: edits  -- -> one text that changes when one of these tables does; of service levels once a day
SELECT (SELECT concat_ws(' ', count(*), max(updated_at)) FROM kpi_baseline) || '; '
    || (SELECT concat_ws(' ', count(*), max(updated_at)) FROM benefits_and_costs) || '; '
    || (SELECT concat_ws(' ', count(*), max(updated_at)) FROM exchange_rates) || '; '
    || (SELECT concat_ws(' ', count(*), max(updated_at)) FROM segments) || '; '
    || (SELECT coalesce(max(hour)::date::text, '') FROM service_levels);
