-- Campaigns: what is to be sent to whom, each occurrence's frozen list of recipients, and what was decided on the way.
-- A recipient's row is the guard against sending twice: at most one message belongs to a step of a run for a person.
SET lock_timeout = '5s';

CREATE TABLE campaigns (
    id uuid PRIMARY KEY,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
    description text NOT NULL DEFAULT '',
    team_id uuid REFERENCES teams,         -- null: of no team, seen by all who may see campaigns
    state text NOT NULL DEFAULT 'draft' CHECK (state IN (
        'draft', 'in_review', 'approved', 'scheduled', 'running', 'paused', 'completed', 'cancelled', 'failed')),
    kind text NOT NULL DEFAULT 'once' CHECK (kind IN ('once', 'recurring', 'triggered')),
    lane text NOT NULL DEFAULT 'marketing' CHECK (lane IN ('utility', 'marketing')),
    audience jsonb NOT NULL,               -- one of {"segment_id"}, {"definition"}, {"snapshot_id"}, {"upload_id"}
    schedule jsonb NOT NULL DEFAULT '{}',  -- start_at, local_time, hours, holidays, best_hour, rhythm of a recurring one, trigger of a triggered one
    pacing jsonb NOT NULL DEFAULT '{}',    -- per_day, runway, smooth start and its stop rule, frequency cap
    experiment jsonb NOT NULL DEFAULT '{}',-- salt, control and holdout share, allocation fixed|winner|thompson, metrics, alpha
    steps jsonb NOT NULL DEFAULT '[]',     -- what follows the first message: wait, condition, variant
    goal text,                             -- kind of goal.recorded that counts as conversion; null: a reply
    window_days int NOT NULL DEFAULT 14 CHECK (window_days BETWEEN 1 AND 90),
    budget_micros bigint CHECK (budget_micros >= 0),  -- of all its runs; null: no limit
    budget_currency char(3) NOT NULL DEFAULT 'USD',
    version int NOT NULL DEFAULT 1 CHECK (version > 0),  -- the ETag: each change of what was asked, and of the state
    created_by text NOT NULL,              -- actors as in the audit log
    edited_by text NOT NULL,               -- whoever changed what will be sent last
    submitted_by text,
    approved_by text,
    approved_at timestamptz,
    block_reason text,                     -- why it stands still or failed, in words of its own: budget, guardrail, mismatch, ...
    next_at timestamptz,                   -- when its next occurrence begins
    started_at timestamptz,
    finished_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK (approved_by IS NULL OR (approved_by <> created_by AND approved_by <> edited_by)),
    CHECK (state NOT IN ('approved', 'scheduled', 'running', 'paused', 'completed') OR approved_by IS NOT NULL)
);
CREATE INDEX campaigns_created_at ON campaigns (created_at);
CREATE INDEX campaigns_at_work ON campaigns (state) WHERE state IN ('scheduled', 'running', 'paused');
CREATE TRIGGER touch BEFORE UPDATE ON campaigns FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

-- The one place that lists the transitions of a campaign; the trigger below enforces it.
CREATE TABLE campaign_transition (from_state text, to_state text, PRIMARY KEY (from_state, to_state));
INSERT INTO campaign_transition VALUES
    ('draft', 'in_review'), ('draft', 'cancelled'),
    ('in_review', 'draft'), ('in_review', 'approved'), ('in_review', 'cancelled'),
    ('approved', 'draft'), ('approved', 'scheduled'), ('approved', 'running'), ('approved', 'cancelled'),
    ('scheduled', 'draft'), ('scheduled', 'running'), ('scheduled', 'paused'), ('scheduled', 'cancelled'), ('scheduled', 'failed'),
    ('running', 'paused'), ('running', 'completed'), ('running', 'cancelled'), ('running', 'failed'),
    ('paused', 'running'), ('paused', 'cancelled'), ('paused', 'failed');
CREATE FUNCTION check_campaign_transition() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM campaign_transition WHERE from_state = OLD.state AND to_state = NEW.state) THEN
        RAISE EXCEPTION 'campaign % cannot go from % to %', OLD.id, OLD.state, NEW.state USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER transition BEFORE UPDATE OF state ON campaigns
    FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION check_campaign_transition();

CREATE TABLE campaign_variants (
    campaign_id uuid NOT NULL REFERENCES campaigns ON DELETE CASCADE,
    name text NOT NULL CHECK (name ~ '^[a-z0-9_-]{1,40}$'),
    position smallint NOT NULL,
    template_name text,                    -- null: the control, which gets no message
    template_language text,
    variables jsonb NOT NULL DEFAULT '{}', -- place in the template -> {"source": column, "fallback": text}
    share numeric(7, 6) NOT NULL CHECK (share BETWEEN 0 AND 1),
    active boolean NOT NULL DEFAULT true,  -- false: it lost, and gets no further recipient
    PRIMARY KEY (campaign_id, name),
    CHECK ((template_name IS NULL) = (template_language IS NULL))
);

-- One occurrence of a campaign with its own frozen list; a `once` campaign has one. `frozen` proves: how many, which ones,
-- by which definition, read from which build of the warehouse.
CREATE TABLE campaign_runs (
    id uuid PRIMARY KEY,
    campaign_id uuid NOT NULL REFERENCES campaigns,
    occurrence text NOT NULL,              -- 'once', the moment of a recurring one, the batch of a triggered one
    state text NOT NULL DEFAULT 'freezing' CHECK (state IN ('freezing', 'frozen', 'running', 'completed', 'cancelled', 'failed')),
    definition jsonb,                      -- the audience with nested segments in place
    as_of date,
    asset_version text,
    read_so_far int NOT NULL DEFAULT 0,    -- progress of the freeze: recipients read
    members int,                           -- all of the audience, excluded ones and control included
    members_sha256 bytea,                  -- of their ids (16 bytes each) in their order
    excluded jsonb NOT NULL DEFAULT '{}',  -- reason -> how many, as at the freeze
    assigned_up_to int NOT NULL DEFAULT 0, -- positions whose assignment was told as an event
    promoted text,                         -- the variant that the undecided remainder gets since its rule decided
    failure text,
    created_at timestamptz NOT NULL DEFAULT now(),
    frozen_at timestamptz,
    started_at timestamptz,
    finished_at timestamptz,
    UNIQUE (campaign_id, occurrence),
    CHECK (state IN ('freezing', 'failed', 'cancelled') OR (frozen_at IS NOT NULL AND members IS NOT NULL AND members_sha256 IS NOT NULL))
);
CREATE INDEX campaign_runs_created_at ON campaign_runs (created_at);

-- Who gets what: one row per person, run and step. pending: waits for its turn; queued: its message is in the outbox;
-- sent: Meta took it; what became of it then is its message's to say; excluded: `excluded_for` says why; control: gets none.
CREATE TABLE campaign_recipients (
    campaign_id uuid NOT NULL,
    run_id uuid NOT NULL,
    customer_id uuid NOT NULL,             -- no reference: a million rows are written in one go, each found in customers then
    step smallint NOT NULL DEFAULT 0,      -- of a journey; 0 is the first message
    variant text NOT NULL,
    position int NOT NULL,                 -- in the order of sending, by chance (a hash): the first ones are a fair sample
    state text NOT NULL CHECK (state IN ('pending', 'queued', 'sent', 'failed', 'unknown', 'excluded', 'cancelled', 'control')),
    excluded_for text,                     -- no_consent, suppressed, unreachable, open_conversation, frequency_cap, holdout, gone, ...
    send_after timestamptz,                -- the hour that suits the recipient's zone, quiet hours, holidays and habit
    state_code text,                       -- UF, as at the freeze: whose clock and holidays
    variables jsonb,                       -- of a CSV's row or of a trigger (which invoice, which outage)
    attempt smallint NOT NULL DEFAULT 0,   -- messages put into the outbox
    message_id uuid,                       -- the newest one
    message_created_at timestamptz,        -- its partition
    queued_at timestamptz,
    settled_at timestamptz,
    error_code int,
    PRIMARY KEY (campaign_id, customer_id, run_id, step),
    CHECK ((state = 'excluded') = (excluded_for IS NOT NULL) OR state = 'cancelled'),
    CHECK (state NOT IN ('queued', 'sent', 'unknown') OR message_id IS NOT NULL)
);
CREATE INDEX campaign_recipients_due ON campaign_recipients (run_id, position) WHERE state = 'pending';
CREATE INDEX campaign_recipients_out ON campaign_recipients (run_id) WHERE state = 'queued';
CREATE INDEX campaign_recipients_customer ON campaign_recipients (customer_id, queued_at);
CREATE INDEX campaign_recipients_message ON campaign_recipients (message_id) WHERE message_id IS NOT NULL;

-- What was decided by rule or by a person, with all that led to it.
CREATE TABLE campaign_decisions (
    id uuid PRIMARY KEY,
    campaign_id uuid NOT NULL REFERENCES campaigns,
    run_id uuid,
    rule text NOT NULL,                    -- winner, thompson, mismatch, guardrail, smooth_start, budget
    outcome text NOT NULL,                 -- promote, reallocate, stop, go_on
    evidence jsonb NOT NULL,
    decided_by text NOT NULL,
    decided_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX campaign_decisions_campaign ON campaign_decisions (campaign_id, decided_at);

-- An audience that came as CSV: what became of each row.
CREATE TABLE campaign_uploads (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    columns text[] NOT NULL,               -- beyond the one that names the customer: sources for variables
    rows int NOT NULL,
    accepted int NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX campaign_uploads_created_at ON campaign_uploads (created_at);
CREATE TABLE campaign_upload_rows (
    upload_id uuid NOT NULL REFERENCES campaign_uploads ON DELETE CASCADE,
    line int NOT NULL,                     -- in the file, its header being 1
    customer_id uuid,                      -- null: `problem` says why
    problem text,                          -- unknown_customer, not_a_phone, duplicate, too_few_columns
    variables jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (upload_id, line),
    CHECK ((customer_id IS NULL) = (problem IS NOT NULL))
);
CREATE INDEX campaign_upload_rows_customer ON campaign_upload_rows (customer_id) WHERE customer_id IS NOT NULL;

-- What has set off a triggered campaign already, so that nothing does so twice.
CREATE TABLE campaign_trigger_keys (
    campaign_id uuid NOT NULL REFERENCES campaigns ON DELETE CASCADE,
    key text NOT NULL,                     -- invoice:<id>, outage:<id>, churn:<month>
    customer_id uuid NOT NULL,
    run_id uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (campaign_id, key, customer_id)
);
CREATE INDEX campaign_trigger_keys_customer ON campaign_trigger_keys (customer_id);
CREATE INDEX campaign_trigger_keys_created_at ON campaign_trigger_keys (created_at);

-- A pause must not be passed by what is given back to the queue just then: a message of a campaign that a sender claimed
-- and did not send waits, and the sweep ends it. FOR SHARE: either the pause sees it queued, or this sees the pause.
CREATE FUNCTION hold_campaign_message() RETURNS trigger
LANGUAGE plpgsql
AS $$
DECLARE
    at_state text;
BEGIN
    SELECT c.state INTO at_state FROM campaign_recipients r JOIN campaigns c ON c.id = r.campaign_id
    WHERE r.message_id = NEW.id FOR SHARE OF c;
    IF at_state IS NOT NULL AND at_state <> 'running' THEN
        NEW.not_before := greatest(NEW.not_before, now() + interval '12 hours');
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER campaign_holds BEFORE UPDATE OF state ON messages
    FOR EACH ROW WHEN (OLD.state = 'claimed' AND NEW.state = 'queued' AND NEW.author = 'campaign') EXECUTE FUNCTION hold_campaign_message();
