-- Erasure of a person (LGPD art. 18, VI): what was asked, what remains in its place, and what the law keeps.
SET lock_timeout = '5s';

-- One row per erasure; it stays for good and holds nothing personal once it is done. `customer_id` is no foreign key: a
-- restored backup may be older than the customer.
CREATE TABLE erasures (
    id uuid PRIMARY KEY,
    customer_id uuid NOT NULL,
    reason text NOT NULL CHECK (reason IN ('request', 'consent_withdrawn', 'purpose_ended')),
    requested_by text NOT NULL,        -- actor, as the audit log names it
    -- queued: nothing is done yet. running: the rows are erased, other stores follow or still have survivors.
    state text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'done')),
    erased_at timestamptz NOT NULL,    -- what was sent up to here never comes back; what is newer is a new person
    sealed bytea,                      -- encrypted: by what the person is found in the stores, until done
    attempts int NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    next_at timestamptz NOT NULL DEFAULT now(), -- the mark of work: pushed on while somebody does it
    counts jsonb NOT NULL DEFAULT '{}',         -- what was erased, by store and table
    survivors jsonb NOT NULL DEFAULT '{}',      -- what the last scan still found, by store and table
    receipt jsonb,                     -- signed; what the person gets
    created_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    CHECK ((state = 'done') = (finished_at IS NOT NULL)),
    CHECK (state <> 'done' OR (sealed IS NULL AND receipt IS NOT NULL))
);
CREATE INDEX erasures_due ON erasures (next_at) WHERE state <> 'done';
CREATE INDEX erasures_customer ON erasures (customer_id);

-- Keyed hashes of wamids and identities of erased people. Handling asks here before it stores: a wamid never comes back,
-- an identity only with what is newer than `erased_at`.
CREATE TABLE erasure_tombstones (
    key_hash bytea PRIMARY KEY CHECK (octet_length(key_hash) = 32),
    erasure_id uuid NOT NULL REFERENCES erasures,
    kind text NOT NULL CHECK (kind IN ('wamid', 'identity')),
    erased_at timestamptz NOT NULL
);
CREATE INDEX erasure_tombstones_erasure ON erasure_tombstones (erasure_id);

-- What the law keeps of an erased person, one encrypted record per demand, listed until `keep_until` and then deleted.
CREATE TABLE kept_records (
    id uuid PRIMARY KEY,
    erasure_id uuid NOT NULL REFERENCES erasures,
    conversation_id uuid NOT NULL UNIQUE,
    legal_basis text NOT NULL,
    sealed bytea NOT NULL,
    keep_until timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX kept_records_until ON kept_records (keep_until);
