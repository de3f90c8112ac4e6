-- A goal's window may be ninety days long: a message is looked for as far back.
SET lock_timeout = '5s';

CREATE OR REPLACE FUNCTION attribution_of(customer uuid, goal_kind text, moment timestamptz, tz text)
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
            AND m.created_at <= moment AND m.created_at > moment - interval '92 days'
        JOIN events e ON e.aggregate_id = m.id AND e.type = 'message.queued' AND e.payload ->> 'campaign_id' IS NOT NULL
        WHERE c.customer_id = customer AND (moment AT TIME ZONE tz)::date - (m.created_at AT TIME ZONE tz)::date <= 90
        ORDER BY m.created_at DESC, m.id DESC LIMIT 1
    ) AS last ON true
    LEFT JOIN campaign_goals plan ON plan.campaign_id = last.campaign_id
$$;
