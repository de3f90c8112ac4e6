-- The operator's business data. Each upsert takes one array a column, in the order of tables.py, its last the operator's
-- time of the row: an older row never replaces a newer one. All return external_id, status, customer_id, updated_at of
-- what was written, for the events.

-- name: upsert_plans  -- one array a column
INSERT INTO plans AS t (external_id, name, kind, speed_mbps, data_gb, price_micros, currency, active, description, updated_at)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::int[], $6::bigint[], $7::text[], $8::bool[], $9::text[],
    $10::timestamptz[])
ON CONFLICT (external_id) DO UPDATE SET
    name = excluded.name, kind = excluded.kind, speed_mbps = excluded.speed_mbps, data_gb = excluded.data_gb,
    price_micros = excluded.price_micros, currency = excluded.currency, active = excluded.active,
    description = excluded.description, updated_at = excluded.updated_at
WHERE t.updated_at <= excluded.updated_at
RETURNING t.external_id, CASE WHEN t.active THEN 'active' ELSE 'inactive' END AS status, NULL::uuid AS customer_id, t.updated_at;

-- name: upsert_contracts  -- one array a column; a contract belongs to whoever has its phone on WhatsApp
INSERT INTO contracts AS t (external_id, phone, cpf_hash, plan_id, status, city, state_code, region_code, started_on, ended_on, updated_at,
                customer_id)
SELECT r.external_id, r.phone, r.cpf_hash, r.plan_id, r.status, r.city, r.state_code, r.region_code, r.started_on,
    r.ended_on, r.updated_at, i.customer_id
FROM unnest($1::text[], $2::text[], $3::bytea[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::date[],
            $10::date[], $11::timestamptz[])
    AS r (external_id, phone, cpf_hash, plan_id, status, city, state_code, region_code, started_on, ended_on, updated_at)
LEFT JOIN customer_identities i ON i.kind = 'phone' AND i.value = r.phone AND i.portfolio_id = '' AND i.valid_to IS NULL
ON CONFLICT (external_id) DO UPDATE SET
    phone = excluded.phone, cpf_hash = excluded.cpf_hash, plan_id = excluded.plan_id, status = excluded.status,
    city = excluded.city, state_code = excluded.state_code, region_code = excluded.region_code,
    started_on = excluded.started_on, ended_on = excluded.ended_on, updated_at = excluded.updated_at,
    customer_id = CASE WHEN excluded.phone IS DISTINCT FROM t.phone THEN excluded.customer_id
                       ELSE coalesce(excluded.customer_id, t.customer_id) END
WHERE t.updated_at <= excluded.updated_at
RETURNING t.external_id, t.status AS status, t.customer_id AS customer_id, t.plan_id AS plan, t.updated_at;

-- name: upsert_invoices  -- one array a column
INSERT INTO invoices AS t (external_id, contract_id, reference_month, amount_micros, currency, due_on, status, barcode, pix_code, pdf_url,
    updated_at)
SELECT * FROM unnest($1::text[], $2::text[], $3::date[], $4::bigint[], $5::text[], $6::date[], $7::text[], $8::text[], $9::text[],
    $10::text[], $11::timestamptz[])
ON CONFLICT (external_id) DO UPDATE SET
    contract_id = excluded.contract_id, reference_month = excluded.reference_month,
    amount_micros = excluded.amount_micros, currency = excluded.currency, due_on = excluded.due_on,
    status = excluded.status, barcode = excluded.barcode, pix_code = excluded.pix_code, pdf_url = excluded.pdf_url,
    updated_at = excluded.updated_at
WHERE t.updated_at <= excluded.updated_at
RETURNING t.external_id, t.status AS status, (SELECT c.customer_id FROM contracts c WHERE c.external_id = t.contract_id) AS customer_id, t.updated_at;

-- name: upsert_payments  -- one array a column
INSERT INTO payments AS t (external_id, invoice_id, amount_micros, currency, method, paid_at, updated_at)
SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::timestamptz[], $7::timestamptz[])
ON CONFLICT (external_id) DO UPDATE SET
    invoice_id = excluded.invoice_id, amount_micros = excluded.amount_micros, currency = excluded.currency,
    method = excluded.method, paid_at = excluded.paid_at, updated_at = excluded.updated_at
WHERE t.updated_at <= excluded.updated_at
RETURNING t.external_id, 'paid' AS status, (SELECT c.customer_id FROM invoices i JOIN contracts c ON c.external_id = i.contract_id WHERE i.external_id = t.invoice_id) AS customer_id, t.updated_at;

-- name: upsert_outages  -- one array a column
INSERT INTO outages AS t (external_id, region_code, service, started_at, expected_end_at, ended_at, cause, updated_at)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::timestamptz[], $7::text[],
    $8::timestamptz[])
ON CONFLICT (external_id) DO UPDATE SET
    region_code = excluded.region_code, service = excluded.service, started_at = excluded.started_at,
    expected_end_at = excluded.expected_end_at, ended_at = excluded.ended_at, cause = excluded.cause,
    updated_at = excluded.updated_at
WHERE t.updated_at <= excluded.updated_at
RETURNING t.external_id, CASE WHEN t.ended_at IS NULL THEN 'open' ELSE 'ended' END AS status, NULL::uuid AS customer_id, t.updated_at;

-- name: upsert_service_tickets  -- one array a column
INSERT INTO service_tickets AS t (external_id, contract_id, kind, status, opened_at, scheduled_for, closed_at, summary, updated_at)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::timestamptz[],
    $8::text[], $9::timestamptz[])
ON CONFLICT (external_id) DO UPDATE SET
    contract_id = excluded.contract_id, kind = excluded.kind, status = excluded.status,
    opened_at = excluded.opened_at, scheduled_for = excluded.scheduled_for, closed_at = excluded.closed_at,
    summary = excluded.summary, updated_at = excluded.updated_at
WHERE t.updated_at <= excluded.updated_at
RETURNING t.external_id, t.status AS status, (SELECT c.customer_id FROM contracts c WHERE c.external_id = t.contract_id) AS customer_id, t.updated_at;

-- name: stored_plans  -- $1 external_ids text[] -> the rows as they are, locked in key order
SELECT * FROM plans WHERE external_id = ANY($1) ORDER BY external_id FOR UPDATE;

-- name: stored_contracts  -- $1 external_ids text[] -> the rows as they are, locked in key order
SELECT * FROM contracts WHERE external_id = ANY($1) ORDER BY external_id FOR UPDATE;

-- name: stored_invoices  -- $1 external_ids text[] -> the rows as they are, locked in key order
SELECT * FROM invoices WHERE external_id = ANY($1) ORDER BY external_id FOR UPDATE;

-- name: stored_payments  -- $1 external_ids text[] -> the rows as they are, locked in key order
SELECT * FROM payments WHERE external_id = ANY($1) ORDER BY external_id FOR UPDATE;

-- name: stored_outages  -- $1 external_ids text[] -> the rows as they are, locked in key order
SELECT * FROM outages WHERE external_id = ANY($1) ORDER BY external_id FOR UPDATE;

-- name: stored_service_tickets  -- $1 external_ids text[] -> the rows as they are, locked in key order
SELECT * FROM service_tickets WHERE external_id = ANY($1) ORDER BY external_id FOR UPDATE;

-- name: known_plans  -- $1 external_ids text[] -> those that exist
SELECT external_id FROM plans WHERE external_id = ANY($1);

-- name: known_contracts  -- $1 external_ids text[] -> those that exist
SELECT external_id FROM contracts WHERE external_id = ANY($1);

-- name: known_invoices  -- $1 external_ids text[] -> those that exist
SELECT external_id FROM invoices WHERE external_id = ANY($1);

-- name: settle_invoices  -- $1 external_ids text[] -> as an upsert; invoices whose payments reach their amount are paid
UPDATE invoices t SET status = 'paid', updated_at = greatest(t.updated_at, paid.last)
FROM (
    SELECT invoice_id, sum(amount_micros) AS total, max(updated_at) AS last FROM payments
    WHERE invoice_id = ANY($1) GROUP BY invoice_id
) AS paid
WHERE t.external_id = paid.invoice_id AND t.status IN ('open', 'overdue') AND paid.total >= t.amount_micros
RETURNING t.external_id, t.status, (SELECT c.customer_id FROM contracts c WHERE c.external_id = t.contract_id) AS customer_id,
    t.updated_at;

-- name: list_plans  -- $1 after external_id, $2 kind or null, $3 limit -> rows in key order
SELECT * FROM plans
WHERE external_id > $1 AND ($2::text IS NULL OR kind = $2)
ORDER BY external_id LIMIT $3;

-- name: list_contracts  -- $1 after external_id, $2 customer_id or null, $3 limit -> rows in key order
SELECT external_id, phone, customer_id, plan_id, status, city, state_code, region_code, started_on, ended_on, updated_at FROM contracts
WHERE external_id > $1 AND ($2::text IS NULL OR customer_id::text = $2)
ORDER BY external_id LIMIT $3;

-- name: list_invoices  -- $1 after external_id, $2 contract_id or null, $3 limit -> rows in key order
SELECT * FROM invoices
WHERE external_id > $1 AND ($2::text IS NULL OR contract_id = $2)
ORDER BY external_id LIMIT $3;

-- name: list_payments  -- $1 after external_id, $2 invoice_id or null, $3 limit -> rows in key order
SELECT * FROM payments
WHERE external_id > $1 AND ($2::text IS NULL OR invoice_id = $2)
ORDER BY external_id LIMIT $3;

-- name: list_outages  -- $1 after external_id, $2 region_code or null, $3 limit -> rows in key order
SELECT * FROM outages
WHERE external_id > $1 AND ($2::text IS NULL OR region_code = $2)
ORDER BY external_id LIMIT $3;

-- name: list_service_tickets  -- $1 after external_id, $2 contract_id or null, $3 limit -> rows in key order
SELECT * FROM service_tickets
WHERE external_id > $1 AND ($2::text IS NULL OR contract_id = $2)
ORDER BY external_id LIMIT $3;
