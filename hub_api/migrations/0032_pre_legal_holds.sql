-- Legal hold: what a court, an authority or an open dispute needs is neither erased nor reaches the end of its retention.
SET lock_timeout = '5s';

CREATE TABLE legal_holds (
    id uuid PRIMARY KEY,
    customer_id uuid NOT NULL REFERENCES customers,
    conversation_id uuid REFERENCES conversations,  -- null: everything of the customer
    reason text NOT NULL CHECK (length(reason) BETWEEN 3 AND 500),      -- names the case, not the person
    legal_basis text NOT NULL CHECK (length(legal_basis) BETWEEN 3 AND 200),
    placed_by text NOT NULL,                        -- actor, as the audit log names it
    released_by text,
    created_at timestamptz NOT NULL DEFAULT now(),
    released_at timestamptz,                        -- null: in force
    CHECK ((released_at IS NULL) = (released_by IS NULL))
);
CREATE INDEX legal_holds_customer ON legal_holds (customer_id) WHERE released_at IS NULL;
COMMENT ON TABLE legal_holds IS 'rows stay after their release: they prove why something was kept';

-- Whether a conversation must stay: it is held, or everything of its customer is.
CREATE FUNCTION is_held(customer uuid, conversation uuid) RETURNS boolean
LANGUAGE sql STABLE
AS $$
    SELECT EXISTS (
        SELECT FROM legal_holds h
        WHERE h.customer_id = customer AND h.released_at IS NULL AND (h.conversation_id IS NULL OR h.conversation_id = conversation)
    )
$$;
