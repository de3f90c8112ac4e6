-- Lists of numbers that no campaign may write to, whatever they consented to. A number is kept as a keyed hash only: the list
-- may hold people who never wrote to us.
SET lock_timeout = '5s';

CREATE TABLE suppression_entries (
    id uuid PRIMARY KEY,
    list text NOT NULL DEFAULT 'geral' CHECK (list ~ '^[a-z0-9][a-z0-9_-]{0,39}$'),
    identity_hash bytea NOT NULL CHECK (octet_length(identity_hash) = 32), -- of `phone:+55…`, or of `customer:<id>` who has none
    customer_id uuid REFERENCES customers,     -- whose number it is; null: nobody's here
    scope text NOT NULL DEFAULT 'marketing' CHECK (scope IN ('marketing', 'utility', 'all')),
    reason text NOT NULL CHECK (reason IN ('complaint', 'legal', 'deceased', 'wrong_number', 'fraud', 'employee', 'other')),
    until timestamptz,                         -- null: until it is taken from the list
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (list, identity_hash)
);
CREATE INDEX suppression_entries_customer ON suppression_entries (customer_id) WHERE customer_id IS NOT NULL;
CREATE INDEX suppression_entries_hash ON suppression_entries (identity_hash) WHERE customer_id IS NULL;
CREATE INDEX suppression_entries_created_at ON suppression_entries (created_at);
CREATE TRIGGER touch BEFORE UPDATE ON suppression_entries FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

-- Up to which moment new numbers of customers were compared with the lists.
CREATE TABLE suppression_match (
    name text PRIMARY KEY,
    matched_until timestamptz NOT NULL
);
INSERT INTO suppression_match VALUES ('phones', '2009-01-01');

-- What the exclusion of a campaign asks: who is on a list now, for which kind of message.
CREATE VIEW suppressed_customers AS
SELECT customer_id, scope, min(reason) AS reason, list
FROM suppression_entries
WHERE customer_id IS NOT NULL AND (until IS NULL OR until > now())
GROUP BY customer_id, scope, list;
