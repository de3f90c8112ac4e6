-- People, their identities, conversations and messages.
SET lock_timeout = '5s';

CREATE TABLE customers (
    id uuid PRIMARY KEY,
    name text,
    username text,
    phone text,                       -- E.164 with the ninth digit, when known
    cpf_hash bytea,                   -- keyed hash: searchable, not readable
    status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'inactive', 'blocked', 'merged', 'erased')),
    merged_into uuid REFERENCES customers,
    shard_id smallint NOT NULL DEFAULT 0,
    indexed boolean NOT NULL DEFAULT false,
    language text NOT NULL DEFAULT 'pt_BR',
    state_code text,                  -- UF, from the DDD or the contract's address
    tags text[] NOT NULL DEFAULT '{}',
    metadata jsonb NOT NULL DEFAULT '{}',
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((status = 'merged') = (merged_into IS NOT NULL))
);
CREATE INDEX customers_created_at ON customers (created_at);
CREATE INDEX customers_phone ON customers (phone);
CREATE INDEX customers_name_trgm ON customers USING gin (immutable_unaccent(lower(name)) gin_trgm_ops);

-- Who a customer is to the channel. A phone is kept in its canonical form (with the ninth digit) under kind `phone`,
-- the wa_id exactly as Meta wrote it under `wa_id`. BSUIDs belong to a portfolio; phones do not (portfolio '').
CREATE TABLE customer_identities (
    id uuid PRIMARY KEY,
    customer_id uuid NOT NULL REFERENCES customers,
    kind text NOT NULL CHECK (kind IN ('bsuid', 'parent_bsuid', 'wa_id', 'phone')),
    value text NOT NULL CHECK (value <> '' AND length(value) <= 200),
    portfolio_id text NOT NULL DEFAULT '',
    valid_from timestamptz NOT NULL DEFAULT now(),
    valid_to timestamptz,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX customer_identities_current ON customer_identities (kind, value, portfolio_id) WHERE valid_to IS NULL;
-- A message written before a change of number may arrive after it: it is found by the identity the person had then.
CREATE INDEX customer_identities_past ON customer_identities (kind, value, portfolio_id) WHERE valid_to IS NOT NULL;
CREATE INDEX customer_identities_customer ON customer_identities (customer_id);

-- Numeric, unique, never reused: the day and a sequence (Decreto 11.034/2022 art. 12).
CREATE SEQUENCE protocol_number;
CREATE FUNCTION next_protocol(opened_at timestamptz, zone text) RETURNS text
LANGUAGE sql VOLATILE
AS $$ SELECT to_char(opened_at AT TIME ZONE zone, 'YYYYMMDD') || lpad(nextval('protocol_number')::text, 8, '0') $$;

CREATE TABLE teams (
    id uuid PRIMARY KEY,
    name text NOT NULL UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE queues (
    id uuid PRIMARY KEY,
    team_id uuid REFERENCES teams,
    key text NOT NULL UNIQUE,
    name text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- The one place that lists the transitions of a conversation; the trigger below enforces it.
CREATE TABLE conversation_transition (from_state text, to_state text, PRIMARY KEY (from_state, to_state));
INSERT INTO conversation_transition VALUES
    ('bot', 'queued'), ('bot', 'assigned'), ('bot', 'resolved'), ('bot', 'closed'),
    ('queued', 'assigned'), ('queued', 'resolved'), ('queued', 'closed'), ('queued', 'bot'),
    ('assigned', 'waiting_customer'), ('assigned', 'queued'), ('assigned', 'resolved'), ('assigned', 'closed'),
    ('waiting_customer', 'assigned'), ('waiting_customer', 'queued'), ('waiting_customer', 'resolved'), ('waiting_customer', 'closed'),
    ('resolved', 'bot'), ('resolved', 'queued'), ('resolved', 'assigned'), ('resolved', 'closed');

CREATE TABLE conversations (
    id uuid PRIMARY KEY,
    customer_id uuid NOT NULL REFERENCES customers,
    number_id uuid REFERENCES whatsapp_numbers,
    channel text NOT NULL DEFAULT 'whatsapp',
    state text NOT NULL DEFAULT 'bot' CHECK (state IN ('bot', 'queued', 'assigned', 'waiting_customer', 'resolved', 'closed')),
    priority smallint NOT NULL DEFAULT 1 CHECK (priority BETWEEN 1 AND 5),
    protocol text NOT NULL UNIQUE CHECK (protocol ~ '^[0-9]{16,}$'),
    queue_id uuid REFERENCES queues,
    agent_id uuid REFERENCES users,
    tags text[] NOT NULL DEFAULT '{}',
    bot_state jsonb NOT NULL DEFAULT '{}',
    ai_summary text,
    satisfaction smallint CHECK (satisfaction BETWEEN 1 AND 5),
    avg_response_time interval,
    previous_id uuid REFERENCES conversations,
    opened_at timestamptz NOT NULL,
    queued_at timestamptz,
    assigned_at timestamptz,
    first_response_at timestamptz,     -- first message of a person (not the bot)
    resolved_at timestamptz,
    closed_at timestamptz,
    last_customer_message_at timestamptz,   -- payload time; opens the 24 h window
    last_message_at timestamptz,
    unanswered_since timestamptz,      -- the oldest message of the customer without an answer yet
    response_count int NOT NULL DEFAULT 0,  -- answers that avg_response_time averages
    reopened_count int NOT NULL DEFAULT 0,
    metadata jsonb NOT NULL DEFAULT '{}',
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
-- One demand at a time for a customer on a number, whatever races.
CREATE UNIQUE INDEX conversations_one_open ON conversations (customer_id, number_id) NULLS NOT DISTINCT
    WHERE state NOT IN ('resolved', 'closed');
CREATE INDEX conversations_customer ON conversations (customer_id, opened_at DESC);
CREATE INDEX conversations_waiting ON conversations (priority DESC, queued_at) WHERE state = 'queued';
CREATE INDEX conversations_agent ON conversations (agent_id, last_message_at DESC) WHERE state IN ('assigned', 'waiting_customer');
-- Conversations of one state, newest first and page by page.
CREATE INDEX conversations_state_newest ON conversations (state, id DESC);
CREATE INDEX conversations_created_at ON conversations (created_at);
CREATE INDEX conversations_inbox ON conversations (state, last_message_at DESC);

CREATE FUNCTION check_conversation_transition() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM conversation_transition WHERE from_state = OLD.state AND to_state = NEW.state) THEN
        RAISE EXCEPTION 'conversation % cannot go from % to %', OLD.id, OLD.state, NEW.state USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER transition BEFORE UPDATE OF state ON conversations
    FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION check_conversation_transition();

-- The one place that lists the transitions of an outbound message; can_move() and the trigger enforce it.
CREATE FUNCTION can_move(from_state text, to_state text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
AS $$
    SELECT CASE from_state
        WHEN 'queued'    THEN to_state IN ('claimed', 'cancelled', 'failed')
        WHEN 'claimed'   THEN to_state IN ('queued', 'accepted', 'held', 'unknown', 'sent', 'delivered', 'read', 'played', 'failed')
        WHEN 'unknown'   THEN to_state IN ('accepted', 'held', 'sent', 'delivered', 'read', 'played', 'failed')
        WHEN 'accepted'  THEN to_state IN ('held', 'sent', 'delivered', 'read', 'played', 'failed')
        WHEN 'held'      THEN to_state IN ('sent', 'delivered', 'read', 'played', 'failed')
        WHEN 'sent'      THEN to_state IN ('delivered', 'read', 'played', 'failed')
        WHEN 'delivered' THEN to_state IN ('read', 'played')
        WHEN 'read'      THEN to_state IN ('played')
        WHEN 'failed'    THEN to_state IN ('delivered', 'read', 'played')
        ELSE false
    END
$$;

CREATE TABLE messages (
    id uuid NOT NULL,
    created_at timestamptz NOT NULL,   -- inbound: payload time, clamped to a sentinel when absurd; outbound: when queued
    conversation_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    number_id uuid,
    direction text NOT NULL CHECK (direction IN ('in', 'out')),
    author text NOT NULL CHECK (author IN ('customer', 'bot', 'agent', 'campaign', 'system', 'phone_app')),
    author_id uuid,                    -- the agent
    type text NOT NULL,
    content text,                      -- the words people read and search
    payload jsonb NOT NULL DEFAULT '{}', -- inbound: the typed event's detail; outbound: the body to send
    wamid text,
    reply_to text,                     -- wamid quoted
    state text NOT NULL CHECK (state IN ('received', 'queued', 'claimed', 'accepted', 'held', 'sent', 'delivered', 'read',
                                         'played', 'failed', 'unknown', 'cancelled', 'echoed')),
    category text CHECK (category IN ('service', 'utility', 'marketing', 'authentication')),
    priority smallint NOT NULL DEFAULT 1,  -- of sending: 0 human reply, 1 bot and authentication, 2 utility, 3 marketing
    shard smallint NOT NULL DEFAULT 0,
    attempt smallint NOT NULL DEFAULT 0,
    not_before timestamptz,
    claimed_at timestamptz,
    accepted_at timestamptz,
    sent_at timestamptz,
    delivered_at timestamptz,
    read_at timestamptz,
    failed_at timestamptz,
    error_code int,
    error_title text,
    pricing jsonb,
    reactions jsonb NOT NULL DEFAULT '{}',
    edited_at timestamptz,
    revoked_at timestamptz,
    time_flag text,                    -- 'clamped' when the payload's time was absurd
    idempotency_key text,
    version bigint NOT NULL DEFAULT 1,
    inserted_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    search tsvector GENERATED ALWAYS AS (search_vector(content)) STORED,
    PRIMARY KEY (id, created_at),
    CHECK ((direction = 'in') = (state = 'received'))
) PARTITION BY RANGE (created_at);
CREATE TABLE messages_default PARTITION OF messages DEFAULT;
CREATE INDEX messages_conversation ON messages (conversation_id, created_at DESC);
CREATE INDEX messages_search ON messages USING gin (search);
-- Search goes from the newest month backwards and stops early; for a common word it walks this index instead of sorting a
-- tenth of the month.
CREATE INDEX messages_time ON messages (created_at DESC);
-- The queue of each number in the order of sending: a paused number's backlog is never walked through.
CREATE INDEX messages_outbox ON messages (shard, number_id, priority, created_at) WHERE state = 'queued';
-- One person's messages that wait or are being sent: for order per customer, and for an opt-out that cancels them.
CREATE INDEX messages_pending_customer ON messages (customer_id) WHERE state IN ('queued', 'claimed');
CREATE INDEX messages_in_doubt ON messages (claimed_at) WHERE state IN ('claimed', 'unknown');

CREATE FUNCTION check_message_transition() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    IF NOT can_move(OLD.state, NEW.state) THEN
        RAISE EXCEPTION 'message % cannot go from % to %', OLD.id, OLD.state, NEW.state USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER transition BEFORE UPDATE OF state ON messages
    FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION check_message_transition();

-- Every wamid we ever saw or got, in and out. Never partitioned, never detached: a redelivery, however late, finds it.
CREATE TABLE message_key (
    wamid text PRIMARY KEY,
    message_id uuid NOT NULL,
    created_at timestamptz NOT NULL
);

-- An outbound request that came twice with the same key answers with the first message.
CREATE TABLE idempotency_key (
    scope text NOT NULL,
    key text NOT NULL,
    request_sha256 bytea NOT NULL,
    response jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (scope, key)
);
CREATE INDEX idempotency_key_age ON idempotency_key (created_at);

-- Statuses whose message is not known yet (it may be about to commit) or never will be (sent by the phone app).
CREATE TABLE parked_status (
    id uuid PRIMARY KEY,
    wamid text NOT NULL,
    status text NOT NULL,
    occurred_at timestamptz NOT NULL,
    payload jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX parked_status_wamid ON parked_status (wamid);
CREATE INDEX parked_status_age ON parked_status (created_at);

-- Conversations whose bot has something to answer; deleted in the transaction of the answer.
CREATE TABLE bot_turn (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    conversation_id uuid NOT NULL,
    message_id uuid,
    message_created_at timestamptz,
    trigger text NOT NULL DEFAULT 'message' CHECK (trigger IN ('message', 'resolved')),
    lane smallint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX bot_turn_lane ON bot_turn (lane, id);

CREATE TABLE assignments (
    id uuid PRIMARY KEY,
    conversation_id uuid NOT NULL REFERENCES conversations,
    agent_id uuid NOT NULL REFERENCES users,
    reason text NOT NULL,
    assigned_at timestamptz NOT NULL DEFAULT now(),
    released_at timestamptz
);
CREATE INDEX assignments_conversation ON assignments (conversation_id, assigned_at);

CREATE TRIGGER touch BEFORE UPDATE ON customers FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CREATE TRIGGER touch BEFORE UPDATE ON conversations FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CREATE TRIGGER touch BEFORE UPDATE ON messages FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
