-- Promises of service: policies, the clocks that run for conversations, and what moved them.
SET lock_timeout = '5s';

CREATE TABLE sla_policies (
    id uuid PRIMARY KEY,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
    target text NOT NULL CHECK (target IN ('first_response', 'next_response', 'resolution')),
    queue_id uuid REFERENCES queues ON DELETE CASCADE,         -- null: any
    priority smallint CHECK (priority BETWEEN 1 AND 5),        -- null: any
    seconds int NOT NULL CHECK (seconds > 0),
    clock text NOT NULL DEFAULT 'business' CHECK (clock IN ('calendar', 'business')),
    warn_before_s int NOT NULL DEFAULT 0 CHECK (warn_before_s >= 0 AND warn_before_s < seconds),  -- 0: no warning
    active boolean NOT NULL DEFAULT true,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX sla_policies_active ON sla_policies (target) WHERE active;
CREATE TRIGGER touch BEFORE UPDATE ON sla_policies FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

-- The clock of one promise to one conversation. It runs from running_since on top of what is spent, or stands.
CREATE TABLE sla_clocks (
    conversation_id uuid NOT NULL REFERENCES conversations ON DELETE CASCADE,
    target text NOT NULL,
    policy_id uuid NOT NULL REFERENCES sla_policies,           -- one with clocks is made inactive, not deleted
    queue_id uuid REFERENCES queues,                           -- whose hours count
    started_at timestamptz NOT NULL,
    running_since timestamptz,                                 -- null: it stands (waits for the customer, or has ended)
    spent_s double precision NOT NULL DEFAULT 0,
    due_at timestamptz,                                        -- while it runs; null: never, by hours without an opening
    warn_at timestamptz,
    warned_at timestamptz,
    breached_at timestamptz,
    ended_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (conversation_id, target),
    CHECK (running_since IS NOT NULL OR (due_at IS NULL AND warn_at IS NULL))
);
CREATE INDEX sla_clocks_due ON sla_clocks (due_at) WHERE breached_at IS NULL AND due_at IS NOT NULL;
CREATE INDEX sla_clocks_warn ON sla_clocks (warn_at) WHERE warned_at IS NULL AND breached_at IS NULL AND warn_at IS NOT NULL;

-- What a conversation was at a moment that matters to a clock. Written with the change itself, by whomever; followed in
-- order (the row lock of the conversation orders them), and deleted with what follows from it.
CREATE TABLE sla_marks (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    conversation_id uuid NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    state text NOT NULL,
    queue_id uuid,
    priority smallint NOT NULL,
    opened_at timestamptz NOT NULL,
    line_at timestamptz,
    first_response_at timestamptz,
    unanswered_since timestamptz
);

CREATE FUNCTION mark_for_sla() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    IF EXISTS (SELECT FROM sla_policies WHERE active) THEN
        INSERT INTO sla_marks (conversation_id, state, queue_id, priority, opened_at, line_at, first_response_at, unanswered_since)
        VALUES (NEW.id, NEW.state, NEW.queue_id, NEW.priority, NEW.opened_at, NEW.line_at, NEW.first_response_at, NEW.unanswered_since);
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER sla_of_new AFTER INSERT ON conversations
    FOR EACH ROW WHEN (NEW.state IN ('queued', 'assigned')) EXECUTE FUNCTION mark_for_sla();
-- What goes on between the customer and the bot moves no clock of a person.
CREATE TRIGGER sla AFTER UPDATE OF state, queue_id, priority, first_response_at, unanswered_since ON conversations
    FOR EACH ROW WHEN (
        (NEW.state, NEW.queue_id, NEW.priority, NEW.first_response_at, NEW.unanswered_since)
            IS DISTINCT FROM (OLD.state, OLD.queue_id, OLD.priority, OLD.first_response_at, OLD.unanswered_since)
        AND NOT (NEW.state = 'bot' AND OLD.state = 'bot')
    ) EXECUTE FUNCTION mark_for_sla();
