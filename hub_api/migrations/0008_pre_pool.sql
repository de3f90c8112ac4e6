-- The pool of numbers: states with one list of transitions each and a history, what Meta says of a number's health, our
-- circuit breakers, what was counted of sends, flows that Meta stopped, and conversations that we began.
SET lock_timeout = '5s';

-- draining: it finishes what waits for it (templates move to other numbers) and is given nothing new. removed: no longer
-- ours; the row stays for its messages.
ALTER TABLE whatsapp_numbers DROP CONSTRAINT whatsapp_numbers_state_check;
ALTER TABLE whatsapp_numbers
    ADD CONSTRAINT whatsapp_numbers_state_check
        CHECK (state IN ('connected', 'limited', 'paused', 'restricted', 'offline', 'draining', 'removed')),
    ADD COLUMN state_source text NOT NULL DEFAULT 'hub',  -- who changed the state last: hub, meta_error, webhook, health, breaker, clock, api:<key>
    ADD COLUMN state_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN draining_since timestamptz,                -- a pause does not end a draining: it goes on when the pause is over
    ADD COLUMN meta_status text,                          -- CONNECTED, RESTRICTED, … as Meta says it
    ADD COLUMN name_status text,
    ADD COLUMN throughput_level text,                     -- STANDARD (80 a second), HIGH (1,000), as Meta says it
    ADD COLUMN health jsonb NOT NULL DEFAULT '{}',        -- Meta's health_status: can_send_message, and why not
    ADD COLUMN checked_at timestamptz,                    -- health read last
    ADD COLUMN check_failure text,                        -- why the last reading failed; null: it did not
    ADD COLUMN next_check_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN quality_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN speed real NOT NULL DEFAULT 1 CHECK (speed > 0 AND speed <= 1), -- factor of bulk's rate
    ADD COLUMN speed_reason text,
    ADD COLUMN speed_policy jsonb NOT NULL DEFAULT '{}';  -- what the policy remembers between its looks
CREATE INDEX whatsapp_numbers_next_check ON whatsapp_numbers (next_check_at);

ALTER TABLE whatsapp_accounts
    ADD COLUMN state_source text NOT NULL DEFAULT 'hub',
    ADD COLUMN state_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN review text,                               -- Meta's account review: APPROVED, PENDING, …
    ADD COLUMN news_at timestamptz;                       -- Meta's time of the last account webhook applied: an older one is no news

-- The one place that lists the transitions; the triggers below enforce them and write the history.
CREATE TABLE whatsapp_number_transition (from_state text, to_state text, PRIMARY KEY (from_state, to_state));
INSERT INTO whatsapp_number_transition VALUES
    ('connected', 'limited'), ('connected', 'paused'), ('connected', 'restricted'), ('connected', 'offline'),
    ('connected', 'draining'), ('connected', 'removed'),
    ('limited', 'connected'), ('limited', 'paused'), ('limited', 'restricted'), ('limited', 'offline'),
    ('limited', 'draining'), ('limited', 'removed'),
    ('paused', 'connected'), ('paused', 'limited'), ('paused', 'restricted'), ('paused', 'offline'),
    ('paused', 'draining'), ('paused', 'removed'),
    ('restricted', 'connected'), ('restricted', 'limited'), ('restricted', 'offline'), ('restricted', 'draining'),
    ('restricted', 'removed'),
    ('offline', 'connected'), ('offline', 'limited'), ('offline', 'restricted'), ('offline', 'draining'),
    ('offline', 'removed'),
    ('draining', 'connected'), ('draining', 'limited'), ('draining', 'paused'), ('draining', 'restricted'),
    ('draining', 'offline'), ('draining', 'removed'),
    ('removed', 'connected');

CREATE TABLE whatsapp_account_transition (from_state text, to_state text, PRIMARY KEY (from_state, to_state));
INSERT INTO whatsapp_account_transition VALUES
    ('active', 'paused'), ('active', 'restricted'), ('active', 'disabled'),
    ('paused', 'active'), ('paused', 'restricted'), ('paused', 'disabled'),
    ('restricted', 'active'), ('restricted', 'disabled'),
    ('disabled', 'active'), ('disabled', 'restricted');

CREATE TABLE whatsapp_number_history (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    number_id uuid NOT NULL REFERENCES whatsapp_numbers ON DELETE CASCADE,
    from_state text NOT NULL,
    to_state text NOT NULL,
    reason text,
    source text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX whatsapp_number_history_number ON whatsapp_number_history (number_id, id DESC);

CREATE TABLE whatsapp_account_history (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES whatsapp_accounts ON DELETE CASCADE,
    from_state text NOT NULL,
    to_state text NOT NULL,
    reason text,
    source text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX whatsapp_account_history_account ON whatsapp_account_history (account_id, id DESC);

CREATE FUNCTION change_number_state() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM whatsapp_number_transition t WHERE t.from_state = OLD.state AND t.to_state = NEW.state
    ) THEN
        RAISE EXCEPTION 'number % cannot go from % to %', OLD.phone_number_id, OLD.state, NEW.state USING ERRCODE = 'check_violation';
    END IF;
    NEW.state_at := clock_timestamp();
    INSERT INTO whatsapp_number_history (number_id, from_state, to_state, reason, source)
    VALUES (NEW.id, OLD.state, NEW.state, NEW.state_reason, NEW.state_source);
    RETURN NEW;
END
$$;
CREATE TRIGGER change_state BEFORE UPDATE OF state ON whatsapp_numbers
    FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION change_number_state();

CREATE FUNCTION change_account_state() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM whatsapp_account_transition t WHERE t.from_state = OLD.state AND t.to_state = NEW.state
    ) THEN
        RAISE EXCEPTION 'account % cannot go from % to %', OLD.waba_id, OLD.state, NEW.state USING ERRCODE = 'check_violation';
    END IF;
    NEW.state_at := clock_timestamp();
    INSERT INTO whatsapp_account_history (account_id, from_state, to_state, reason, source)
    VALUES (NEW.id, OLD.state, NEW.state, NEW.state_reason, NEW.state_source);
    RETURN NEW;
END
$$;
CREATE TRIGGER change_state BEFORE UPDATE OF state ON whatsapp_accounts
    FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION change_account_state();

-- To which state a number returns when what stopped it is over.
CREATE FUNCTION number_state_without_pause(draining_since timestamptz, held_until timestamptz) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT CASE WHEN draining_since IS NOT NULL THEN 'draining' WHEN held_until IS NOT NULL THEN 'limited' ELSE 'connected' END $$;

-- What became of sends, counted for breakers and speed. Rows are only added by those who send and hear statuses (a
-- counter that all update would be a queue); a clock job adds them up by minute and then by hour.
CREATE TABLE send_tally (
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    grain smallint NOT NULL DEFAULT 0 CHECK (grain BETWEEN 0 AND 2), -- 0 as it came, 1 sum of a minute, 2 sum of an hour
    number_id uuid NOT NULL,
    template text,                     -- name/language
    outcome text NOT NULL CHECK (outcome IN ('accepted', 'refused', 'unknown', 'delivered', 'read', 'failed', 'opt_out')),
    code int,                          -- Meta's, of `refused` (by the call) and `failed` (by a status)
    count int NOT NULL CHECK (count > 0)
);
CREATE INDEX send_tally_at ON send_tally (at, number_id);

-- Circuit breakers. closed: all goes. open: nothing goes until `open_until`. half_open: a trickle goes, and what becomes
-- of it decides. Closed ones without a past have no row.
CREATE TABLE circuit_breakers (
    kind text NOT NULL CHECK (kind IN ('number', 'account', 'template')),
    subject_id uuid NOT NULL,
    state text NOT NULL DEFAULT 'closed' CHECK (state IN ('closed', 'open', 'half_open')),
    reason text,
    openings smallint NOT NULL DEFAULT 0 CHECK (openings >= 0), -- in a row, without having closed between: the time open grows with it
    open_until timestamptz,
    changed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (kind, subject_id),
    CHECK ((state = 'open') = (open_until IS NOT NULL))
);

-- The template's own breaker; what the channel says of it is in `status` and `quality`. Half open, `trial_ids` are the
-- messages that may go although it is stopped.
ALTER TABLE templates
    ADD COLUMN IF NOT EXISTS stopped_until timestamptz,
    ADD COLUMN trial_ids uuid[] NOT NULL DEFAULT '{}';

-- Flows as Meta's webhooks tell of them: one that is BLOCKED or THROTTLED is not sent.
CREATE TABLE whatsapp_flows (
    account_id uuid NOT NULL REFERENCES whatsapp_accounts ON DELETE CASCADE,
    flow_id text NOT NULL CHECK (flow_id <> ''),
    status text,
    alert_state text,
    message text,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, flow_id)
);
CREATE TRIGGER touch BEFORE UPDATE ON whatsapp_flows FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

-- A conversation that we began is no demand until the customer writes in it: it rests `resolved`, no event tells of its
-- opening, and its protocol is given anew by the first message.
ALTER TABLE conversations
    ADD COLUMN origin text NOT NULL DEFAULT 'customer' CHECK (origin IN ('customer', 'business')),
    ADD COLUMN is_demand boolean NOT NULL DEFAULT true,
    ADD CONSTRAINT conversations_demand CHECK (is_demand OR origin = 'business' AND state IN ('resolved', 'closed')) NOT VALID;

-- From which number a queued message was moved while that one could not send; it goes back when the number heals.
ALTER TABLE messages ADD COLUMN moved_from uuid;
CREATE INDEX messages_moved ON messages (moved_from) WHERE state = 'queued' AND moved_from IS NOT NULL;

-- Numbers that may send, and what they may not. One that drains keeps its replies, and leaves templates to another number
-- of the account when there is one.
CREATE OR REPLACE VIEW sending_numbers AS
SELECT n.id, n.phone_number_id, n.throughput_mps, n.account_id, a.portfolio_id, a.token_encrypted,
    n.held_categories || a.held_categories || CASE
        WHEN n.state = 'draining' AND EXISTS (
            SELECT FROM whatsapp_numbers other
            WHERE other.account_id = n.account_id AND other.state IN ('connected', 'limited')
        ) THEN ARRAY['utility', 'marketing', 'authentication'] ELSE '{}' END AS held_categories
FROM whatsapp_numbers n JOIN whatsapp_accounts a ON a.id = n.account_id
WHERE n.state IN ('connected', 'limited', 'draining') AND a.state = 'active';
