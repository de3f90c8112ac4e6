-- Queues with rules, agents with capacity and presence, and why each conversation went to whom.
SET lock_timeout = '5s';

ALTER TABLE queues
    ADD COLUMN active boolean NOT NULL DEFAULT true,           -- takes new conversations; who waits is still served
    ADD COLUMN is_default boolean NOT NULL DEFAULT false,      -- where a conversation waits that nobody gave a queue
    ADD COLUMN skills jsonb NOT NULL DEFAULT '{}',             -- skill -> least level 1..5 that its agents have
    ADD COLUMN languages text[] NOT NULL DEFAULT '{}',         -- an agent speaks one of these; empty: any
    ADD COLUMN business_hours text,                            -- in the form of HUB_BUSINESS_HOURS; null: those
    ADD COLUMN holidays_closed boolean NOT NULL DEFAULT true,  -- national ones and those of HUB_HOLIDAY_STATE
    ADD COLUMN strategy text NOT NULL DEFAULT 'least_busy'
        CHECK (strategy IN ('least_busy', 'round_robin', 'weighted', 'last_agent')),
    ADD COLUMN overflow_queue_id uuid REFERENCES queues,
    ADD COLUMN overflow_after_s int CHECK (overflow_after_s > 0),
    ADD COLUMN escalate_after_s int CHECK (escalate_after_s > 0),
    ADD COLUMN escalate_to smallint CHECK (escalate_to BETWEEN 2 AND 5),
    ADD COLUMN on_lost text NOT NULL DEFAULT 'return' CHECK (on_lost IN ('return', 'keep')),
    ADD COLUMN keep_minutes smallint NOT NULL DEFAULT 5 CHECK (keep_minutes BETWEEN 1 AND 1440),
    ADD COLUMN waiting_text text,                              -- told once to who waits: {position} {wait} {protocol}
    ADD COLUMN closed_text text,                               -- told instead outside hours: {opens} {protocol}
    ADD COLUMN hook_url text,                                  -- asked whom to choose
    ADD COLUMN hook_timeout_ms int NOT NULL DEFAULT 800 CHECK (hook_timeout_ms BETWEEN 50 AND 5000),
    ADD COLUMN version bigint NOT NULL DEFAULT 1,
    ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now(),
    ADD CHECK ((overflow_queue_id IS NULL) = (overflow_after_s IS NULL)),
    ADD CHECK ((escalate_to IS NULL) = (escalate_after_s IS NULL)),
    ADD CHECK (overflow_queue_id <> id);
CREATE UNIQUE INDEX queues_default ON queues (is_default) WHERE is_default;
CREATE TRIGGER touch BEFORE UPDATE ON queues FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

-- Who takes conversations. Its row is the lock under which his load is counted, by the router and by who assigns by hand;
-- so what comes every few seconds, his heartbeat, is elsewhere.
CREATE TABLE agents (
    user_id uuid PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    capacity smallint NOT NULL DEFAULT 3 CHECK (capacity BETWEEN 0 AND 100),  -- conversations at a time
    skills jsonb NOT NULL DEFAULT '{}',                        -- skill -> level 1..5
    languages text[] NOT NULL DEFAULT '{pt_BR}',
    presence text NOT NULL DEFAULT 'offline' CHECK (presence IN ('online', 'away', 'break', 'offline')),
    presence_reason text,                                      -- of a break; connection_lost
    presence_at timestamptz NOT NULL DEFAULT now(),            -- since when
    last_assigned_at timestamptz,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK (presence <> 'break' OR presence_reason IS NOT NULL)
);
CREATE INDEX agents_present ON agents (presence) WHERE presence <> 'offline';
CREATE TRIGGER touch BEFORE UPDATE ON agents FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TABLE agent_heartbeats (
    user_id uuid PRIMARY KEY REFERENCES agents ON DELETE CASCADE,
    seen_at timestamptz NOT NULL
) WITH (fillfactor = 50);

ALTER TABLE conversations
    ADD COLUMN line_at timestamptz,                            -- the place in line: kept by transfers and returns
    ADD COLUMN wanted_skills jsonb NOT NULL DEFAULT '{}',      -- beside the queue's
    ADD COLUMN wanted_language text,
    ADD COLUMN told_place_at timestamptz;                      -- when the customer was told his place

-- A trigger, so that no writer of conversations forgets it. Who comes back to the line from an agent has waited before.
CREATE FUNCTION take_place_in_line() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.state IN ('assigned', 'waiting_customer') AND OLD.line_at IS NOT NULL THEN
        NEW.line_at := OLD.line_at;
    ELSE
        NEW.line_at := coalesce(NEW.queued_at, now());
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER place_of_new BEFORE INSERT ON conversations
    FOR EACH ROW WHEN (NEW.state = 'queued') EXECUTE FUNCTION take_place_in_line();
CREATE TRIGGER place BEFORE UPDATE OF state ON conversations
    FOR EACH ROW WHEN (NEW.state = 'queued' AND OLD.state <> 'queued') EXECUTE FUNCTION take_place_in_line();

UPDATE conversations SET line_at = coalesce(queued_at, opened_at) WHERE state = 'queued';
-- The line of one queue and of all, in the order in which it is served.
CREATE INDEX conversations_line ON conversations (queue_id, priority DESC, line_at, id) WHERE state = 'queued';
CREATE INDEX conversations_lines ON conversations (priority DESC, line_at, id) WHERE state = 'queued';

ALTER TABLE assignments
    ADD COLUMN queue_id uuid REFERENCES queues,
    ADD COLUMN strategy text,                                  -- null: by hand
    ADD COLUMN waited_s double precision,                      -- since it took its place in line
    ADD COLUMN candidates jsonb;                               -- what was known of who could have had it
CREATE INDEX assignments_agent ON assignments (agent_id, released_at);
CREATE INDEX assignments_queue ON assignments (queue_id, assigned_at) WHERE queue_id IS NOT NULL;
