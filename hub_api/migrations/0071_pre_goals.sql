-- What campaigns are for: what customers did (goals), to which message each is laid and why, and who may report it.
SET lock_timeout = '5s';

-- What a campaign wants, as it was planned first: gold.campaign_funnel reads the same events.
CREATE TABLE campaign_goals (
    campaign_id uuid PRIMARY KEY,
    kind text NOT NULL,                        -- empty: any goal
    window_days int NOT NULL CHECK (window_days >= 0),
    planned_at timestamptz NOT NULL DEFAULT now()
);

CREATE FUNCTION keep_campaign_goal() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO campaign_goals (campaign_id, kind, window_days)
    VALUES ((NEW.payload ->> 'campaign_id')::uuid, coalesce(NEW.payload ->> 'goal', ''), coalesce((NEW.payload ->> 'window_days')::int, 0))
    ON CONFLICT (campaign_id) DO NOTHING;
    RETURN NULL;
END
$$;
CREATE TRIGGER campaign_goal AFTER INSERT ON events
    FOR EACH ROW WHEN (NEW.type = 'experiment.planned' AND NEW.payload ->> 'campaign_id' IS NOT NULL)
    EXECUTE FUNCTION keep_campaign_goal();
INSERT INTO campaign_goals (campaign_id, kind, window_days, planned_at)
SELECT DISTINCT ON (payload ->> 'campaign_id') (payload ->> 'campaign_id')::uuid, coalesce(payload ->> 'goal', ''),
    coalesce((payload ->> 'window_days')::int, 0), occurred_at
FROM events WHERE type = 'experiment.planned' AND payload ->> 'campaign_id' IS NOT NULL
ORDER BY payload ->> 'campaign_id', aggregate_version;

CREATE TABLE goals (
    id uuid PRIMARY KEY,                       -- hub_api/events.py, goal_id
    kind text NOT NULL CHECK (kind ~ '^[a-z][a-z0-9_]{0,39}$'),
    external_id text NOT NULL CHECK (length(external_id) BETWEEN 1 AND 200),
    customer_id uuid NOT NULL REFERENCES customers,
    value_micros bigint NOT NULL DEFAULT 0 CHECK (value_micros >= 0),
    value_currency text NOT NULL DEFAULT 'BRL' CHECK (value_currency ~ '^[A-Z]{3}$'),
    occurred_at timestamptz NOT NULL,
    source text NOT NULL,                      -- api, signed, file, click, events
    recorded_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (kind, external_id)
);
CREATE INDEX goals_customer ON goals (customer_id, occurred_at);
CREATE INDEX goals_created_at ON goals (created_at);

-- One row a goal: the campaign message it is laid to, or why to none. Made anew from the messages whenever somebody doubts.
CREATE TABLE goal_attributions (
    goal_id uuid PRIMARY KEY REFERENCES goals ON DELETE CASCADE,
    reason text NOT NULL CHECK (reason IN ('attributed', 'no_message', 'other_goal', 'outside_window')),
    message_id uuid,                           -- the last campaign message before the goal, counted or not
    campaign_id uuid,
    variant text,
    sent_at timestamptz,
    window_days int,
    computed_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((reason = 'no_message') = (message_id IS NULL))
);
CREATE INDEX goal_attributions_message ON goal_attributions (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX goal_attributions_campaign ON goal_attributions (campaign_id) WHERE reason = 'attributed';

-- The one rule of attribution in PostgreSQL, word for word that of gold.campaign_funnel: the last campaign message queued before
-- the act, sixty business days back at most, if its campaign wants this kind of goal and its window (14 days without a plan) is open.
CREATE FUNCTION attribution_of(customer uuid, goal_kind text, moment timestamptz, tz text)
RETURNS TABLE (reason text, message_id uuid, campaign_id uuid, variant text, sent_at timestamptz, window_days int)
LANGUAGE sql STABLE
AS $$
    SELECT
        CASE
            WHEN last.id IS NULL THEN 'no_message'
            WHEN coalesce(plan.kind, '') NOT IN ('', goal_kind) THEN 'other_goal'
            WHEN moment >= last.created_at + make_interval(hours => 24 * coalesce(nullif(plan.window_days, 0), 14)) THEN 'outside_window'
            ELSE 'attributed'
        END,
        last.id, last.campaign_id, last.variant, last.created_at,
        CASE WHEN last.id IS NOT NULL THEN coalesce(nullif(plan.window_days, 0), 14) END
    FROM (VALUES (1)) AS one (n)
    LEFT JOIN LATERAL (
        SELECT m.id, m.created_at, (e.payload ->> 'campaign_id')::uuid AS campaign_id, e.payload ->> 'variant' AS variant
        FROM conversations c
        JOIN messages m ON m.conversation_id = c.id AND m.direction = 'out'
            AND m.created_at <= moment AND m.created_at > moment - interval '62 days'
        JOIN events e ON e.aggregate_id = m.id AND e.type = 'message.queued' AND e.payload ->> 'campaign_id' IS NOT NULL
        WHERE c.customer_id = customer AND (moment AT TIME ZONE tz)::date - (m.created_at AT TIME ZONE tz)::date <= 60
        ORDER BY m.created_at DESC, m.id DESC LIMIT 1
    ) AS last ON true
    LEFT JOIN campaign_goals plan ON plan.campaign_id = last.campaign_id
$$;

-- Keys by which the operator's systems sign what they report (HMAC-SHA-256).
CREATE TABLE conversion_keys (
    id text PRIMARY KEY CHECK (id ~ '^ck_[0-9a-f]{16}$'),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
    secret_encrypted bytea NOT NULL,
    created_by text NOT NULL,
    last_used_at timestamptz,
    revoked_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- Up to which event replies and taps were looked at (in the relay's order: below every transaction that is still open).
CREATE TABLE goal_cursor (
    name text PRIMARY KEY,
    xid xid8 NOT NULL,
    seq bigint NOT NULL
);
INSERT INTO goal_cursor SELECT 'answers', pg_snapshot_xmin(pg_current_snapshot()), 0;
