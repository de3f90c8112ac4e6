-- What the bot tells a customer about their own contracts. Everything starts from the contracts found here: no other
-- door leads to an invoice or a ticket.

-- name: link_contracts  -- $1 customers uuid[] -> external_id, status, customer_id, updated_at of contracts newly linked
UPDATE contracts t SET customer_id = c.id
FROM customers c
WHERE c.id = ANY($1) AND t.phone = c.phone AND t.customer_id IS NULL
-- one microsecond later, so that readers of the events take this version over the last one
RETURNING t.external_id, t.status, t.customer_id, t.updated_at + interval '1 microsecond' AS updated_at;

-- name: contracts_of  -- $1 customers uuid[] -> their contracts with the plan's name and kind, running ones first
SELECT c.customer_id, c.external_id, c.status, c.city, c.state_code, c.region_code, p.name AS plan_name, p.kind AS plan_kind
FROM contracts c JOIN plans p ON p.external_id = c.plan_id
WHERE c.customer_id = ANY($1) AND c.status <> 'cancelled'
ORDER BY c.customer_id, c.status, c.started_on, c.external_id;

-- name: unpaid_invoices  -- $1 contracts text[], $2 today date -> open and overdue invoices, oldest first
SELECT contract_id, reference_month, amount_micros, currency, due_on, status = 'overdue' OR due_on < $2 AS overdue,
    barcode, pix_code
FROM invoices WHERE contract_id = ANY($1) AND status IN ('open', 'overdue')
ORDER BY due_on, external_id;

-- name: running_outages  -- $1 regions text[], $2 now -> outages of these regions that have begun and not ended
SELECT region_code, service, started_at, expected_end_at
FROM outages WHERE region_code = ANY($1) AND started_at <= $2 AND (ended_at IS NULL OR ended_at > $2)
ORDER BY started_at;

-- name: open_tickets  -- $1 contracts text[] -> tickets still to be done, the next visit first
SELECT contract_id, kind, scheduled_for, opened_at
FROM service_tickets WHERE contract_id = ANY($1) AND status IN ('open', 'scheduled')
ORDER BY scheduled_for NULLS LAST, opened_at;

-- name: plans_on_offer  -- -> active plans, cheapest first within a kind; more than anybody reads in a chat are left out
SELECT name, kind, speed_mbps, data_gb, price_micros, currency FROM plans WHERE active
ORDER BY kind, price_micros, external_id LIMIT 100;
