-- What is copied from PostgreSQL whole, each query in the column order of its table in the warehouse. Erased people do not
-- come along; what the operator keeps of them names nobody any more. Times are UTC without a zone, as TabSeparated reads them; a date before 1900 is brought to that edge.

-- name: customers  -- -> one row per customer; a merged one leads to whom it lives on as (merge.sql keeps that one step)
SELECT id, coalesce(merged_into, id), status, coalesce(state_code, ''), language,
    (SELECT '[' || coalesce(string_agg('''' || replace(tag, '''', '''''') || '''', ',' ORDER BY tag), '') || ']'
        FROM unnest(tags) AS tag),
    created_at AT TIME ZONE 'UTC'
FROM customers WHERE status <> 'erased';

-- name: contracts  -- -> one row per contract with its plan
SELECT c.external_id, c.customer_id, c.plan_id, p.name, p.kind, p.speed_mbps, p.data_gb, p.price_micros, p.currency, c.status,
    coalesce(c.city, ''), coalesce(c.state_code, ''), coalesce(c.region_code, ''), greatest(c.started_on, '1900-01-01'),
    CASE WHEN c.ended_on < '1900-01-01' THEN '1900-01-01' ELSE c.ended_on END, c.updated_at AT TIME ZONE 'UTC'
FROM contracts c
JOIN plans p ON p.external_id = c.plan_id;

-- name: invoices  -- -> one row per invoice; settled when its payments reach its amount, else when the operator says paid
SELECT i.external_id, i.contract_id, c.customer_id, greatest(i.reference_month, '1900-01-01'), i.amount_micros, i.currency,
    greatest(i.due_on, '1900-01-01'), i.status, coalesce(p.paid_micros, 0),
    coalesce(p.settled_at, CASE WHEN i.status = 'paid' THEN coalesce(p.last_at, i.updated_at) END) AT TIME ZONE 'UTC',
    i.updated_at AT TIME ZONE 'UTC'
FROM invoices i
JOIN contracts c ON c.external_id = i.contract_id
LEFT JOIN (
    SELECT r.invoice_id, max(r.running) AS paid_micros, max(r.paid_at) AS last_at,
        min(r.paid_at) FILTER (WHERE r.running >= own.amount_micros) AS settled_at
    FROM (
        SELECT invoice_id, paid_at, sum(amount_micros) OVER (PARTITION BY invoice_id ORDER BY paid_at, external_id) AS running
        FROM payments
    ) AS r
    JOIN invoices own ON own.external_id = r.invoice_id
    GROUP BY r.invoice_id
) AS p ON p.invoice_id = i.external_id;

-- name: service_tickets  -- -> one row per ticket, without its words
SELECT t.external_id, t.contract_id, c.customer_id, t.kind, t.status, t.opened_at AT TIME ZONE 'UTC',
    t.scheduled_for AT TIME ZONE 'UTC', t.closed_at AT TIME ZONE 'UTC', t.updated_at AT TIME ZONE 'UTC'
FROM service_tickets t
JOIN contracts c ON c.external_id = t.contract_id;

-- name: outages  -- -> one row per outage
SELECT external_id, region_code, service, started_at AT TIME ZONE 'UTC', expected_end_at AT TIME ZONE 'UTC',
    ended_at AT TIME ZONE 'UTC', coalesce(cause, ''), updated_at AT TIME ZONE 'UTC'
FROM outages;
