-- Consent is one append-only ledger; what follows from it for sending is read from the newest row per scope.
SET lock_timeout = '5s';

CREATE TABLE consent_ledger (
    id uuid PRIMARY KEY,
    customer_id uuid NOT NULL REFERENCES customers,
    scope text NOT NULL CHECK (scope IN ('marketing', 'utility', 'all')),
    granted boolean NOT NULL,
    source text NOT NULL,              -- customer_message, meta_preference, meta_error, button, agent, api, import
    channel text NOT NULL DEFAULT 'whatsapp',
    text_version text,
    evidence jsonb NOT NULL DEFAULT '{}',
    actor_id uuid REFERENCES users,
    occurred_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX consent_ledger_customer ON consent_ledger (customer_id, scope, occurred_at DESC);

-- The ledger's present state, one row per customer and scope, written in the ledger's transaction. The claim of a
-- message reads it FOR SHARE: nothing is claimed after an opt-out was committed.
CREATE TABLE suppressions (
    customer_id uuid NOT NULL REFERENCES customers,
    scope text NOT NULL CHECK (scope IN ('marketing', 'utility', 'all')),
    reason text NOT NULL,
    until timestamptz,                 -- null: until an explicit opt-in
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (customer_id, scope)
);
