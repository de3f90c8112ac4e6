-- The operator's business data: the bot answers from it, segments and triggers read it. It enters by the batch API,
-- CSV import and events, always keyed by the operator's own ids, so that every load is idempotent.
SET lock_timeout = '5s';

CREATE TABLE plans (
    external_id text PRIMARY KEY,
    name text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('fiber', 'mobile_postpaid', 'mobile_prepaid', 'mobile_control', 'tv', 'combo')),
    speed_mbps int CHECK (speed_mbps > 0),
    data_gb int CHECK (data_gb >= 0),
    price_micros bigint NOT NULL CHECK (price_micros >= 0),
    currency char(3) NOT NULL DEFAULT 'BRL',
    active boolean NOT NULL DEFAULT true,
    description text,
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE contracts (
    external_id text PRIMARY KEY,
    phone text,                        -- E.164: how the contract finds its customer
    cpf_hash bytea,
    customer_id uuid REFERENCES customers,
    plan_id text NOT NULL REFERENCES plans,
    status text NOT NULL CHECK (status IN ('active', 'suspended', 'cancelled')),
    city text,
    state_code text,
    region_code text,                  -- the operator's network region, matched with outages
    started_on date NOT NULL,
    ended_on date,
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX contracts_phone ON contracts (phone);
CREATE INDEX contracts_customer ON contracts (customer_id);

CREATE TABLE invoices (
    external_id text PRIMARY KEY,
    contract_id text NOT NULL REFERENCES contracts,
    reference_month date NOT NULL,
    amount_micros bigint NOT NULL CHECK (amount_micros >= 0),
    currency char(3) NOT NULL DEFAULT 'BRL',
    due_on date NOT NULL,
    status text NOT NULL CHECK (status IN ('open', 'paid', 'overdue', 'cancelled')),
    barcode text,
    pix_code text,
    pdf_url text,
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX invoices_contract ON invoices (contract_id, due_on DESC);

CREATE TABLE payments (
    external_id text PRIMARY KEY,
    invoice_id text NOT NULL REFERENCES invoices,
    amount_micros bigint NOT NULL CHECK (amount_micros > 0),
    currency char(3) NOT NULL DEFAULT 'BRL',
    method text NOT NULL,
    paid_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX payments_invoice ON payments (invoice_id);

CREATE TABLE outages (
    external_id text PRIMARY KEY,
    region_code text NOT NULL,
    service text NOT NULL CHECK (service IN ('fiber', 'mobile', 'tv', 'all')),
    started_at timestamptz NOT NULL,
    expected_end_at timestamptz,
    ended_at timestamptz,
    cause text,
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX outages_region ON outages (region_code, started_at DESC);

CREATE TABLE service_tickets (
    external_id text PRIMARY KEY,
    contract_id text NOT NULL REFERENCES contracts,
    kind text NOT NULL,
    status text NOT NULL CHECK (status IN ('open', 'scheduled', 'done', 'cancelled')),
    opened_at timestamptz NOT NULL,
    scheduled_for timestamptz,
    closed_at timestamptz,
    summary text,
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX service_tickets_contract ON service_tickets (contract_id, opened_at DESC);
