-- Goals: who did what campaigns are for, and to which message it is laid.

-- name: insert_goals  -- one array a column: $1 ids, $2 kinds, $3 external_ids, $4 customers, $5 values, $6 currencies, $7 times, $8 source, $9 by whom -> the new ones
INSERT INTO goals (id, kind, external_id, customer_id, value_micros, value_currency, occurred_at, source, recorded_by)
SELECT r.*, $8, $9
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::bigint[], $6::text[], $7::timestamptz[]) AS r
ON CONFLICT (id) DO NOTHING
RETURNING id, kind, external_id, customer_id, value_micros, value_currency, occurred_at;

-- name: stored_goals  -- $1 ids -> as they were told first
SELECT id, customer_id, value_micros, value_currency, occurred_at FROM goals WHERE id = ANY($1::uuid[]);

-- name: attribute  -- $1 goals, $2 zone -> reason, goals of it; what stands already is made anew
WITH laid AS (
    INSERT INTO goal_attributions AS known (goal_id, reason, message_id, campaign_id, variant, sent_at, window_days)
    SELECT g.id, a.reason, a.message_id, a.campaign_id, a.variant, a.sent_at, a.window_days
    FROM goals g, LATERAL attribution_of(g.customer_id, g.kind, g.occurred_at, $2) AS a
    WHERE g.id = ANY($1::uuid[])
    ON CONFLICT (goal_id) DO UPDATE SET
        reason = excluded.reason, message_id = excluded.message_id, campaign_id = excluded.campaign_id, variant = excluded.variant,
        sent_at = excluded.sent_at, window_days = excluded.window_days, computed_at = now()
    RETURNING known.reason
)
SELECT reason, count(*) AS goals FROM laid GROUP BY reason ORDER BY reason;

-- name: goals_since  -- $1 since, $2 id of the last one before or null, $3 limit -> ids in their order
SELECT id FROM goals WHERE occurred_at >= $1 AND ($2::uuid IS NULL OR id > $2) ORDER BY id LIMIT $3;

-- name: by_phone  -- $1 phones -> value, customer_id
SELECT value, customer_id FROM customer_identities
WHERE kind = 'phone' AND value = ANY($1::text[]) AND portfolio_id = '' AND valid_to IS NULL;

-- name: by_contract  -- $1 contracts -> external_id, customer_id
SELECT external_id, customer_id FROM contracts WHERE external_id = ANY($1::text[]) AND customer_id IS NOT NULL;

-- name: by_customer  -- $1 ids -> id as given, customer_id as it is now; nobody who was erased
SELECT c.id, coalesce(c.merged_into, c.id) AS customer_id FROM customers c
JOIN customers now_is ON now_is.id = coalesce(c.merged_into, c.id)
WHERE c.id = ANY($1::uuid[]) AND now_is.status <> 'erased';

-- name: by_click  -- $1 hashes of codes -> code_sha256, customer_id
SELECT code_sha256, customer_id FROM tracked_links WHERE code_sha256 = ANY($1::bytea[]) AND expires_at > now();

-- name: list_goals  -- $1 customer or null, $2 campaign or null, $3 kind or null, $4 created_at, $5 id of the last row before or null, $6 limit
SELECT g.id, g.kind, g.external_id, g.customer_id, g.value_micros, g.value_currency, g.occurred_at, g.source, g.created_at,
    a.reason, a.message_id, a.campaign_id, a.variant, a.sent_at, a.window_days
FROM goals g LEFT JOIN goal_attributions a ON a.goal_id = g.id
WHERE ($1::uuid IS NULL OR g.customer_id = $1) AND ($2::uuid IS NULL OR a.reason = 'attributed' AND a.campaign_id = $2)
    AND ($3::text IS NULL OR g.kind = $3) AND ($4::timestamptz IS NULL OR (g.created_at, g.id) < ($4, $5::uuid))
ORDER BY g.created_at DESC, g.id DESC LIMIT $6;

-- name: wanted  -- $1 kinds -> those of them that a campaign wants
SELECT DISTINCT kind FROM campaign_goals WHERE kind = ANY($1::text[]);

-- name: lock_cursor  -- -> xid as text, seq, whether it is ahead of the cluster (a restore); locked
SELECT xid::text AS xid, seq, xid > pg_snapshot_xmax(pg_current_snapshot()) AS ahead FROM goal_cursor WHERE name = 'answers' FOR UPDATE;

-- name: next_events  -- $1 xid as text, $2 seq, $3 limit -> events in the relay's order below every open transaction
SELECT e.xid::text AS xid, e.seq, e.type, e.aggregate_id, coalesce(p.paid_at, e.occurred_at) AS occurred_at,
    (e.payload ->> 'customer_id')::uuid AS customer_id, e.payload ->> 'message_type' AS message_type, e.payload ->> 'kind' AS kind,
    e.payload ->> 'status' AS status, e.payload ->> 'external_id' AS external_id, coalesce(p.amount_micros, 0) AS value_micros,
    coalesce(p.currency, 'BRL') AS value_currency
FROM events e
LEFT JOIN payments p ON e.type = 'business.recorded' AND e.payload ->> 'kind' = 'payments' AND p.external_id = e.payload ->> 'external_id'
WHERE (e.xid, e.seq) > ($1::text::xid8, $2) AND e.xid < pg_snapshot_xmin(pg_current_snapshot())
ORDER BY e.xid, e.seq LIMIT $3;

-- name: set_cursor  -- $1 xid as text, $2 seq
UPDATE goal_cursor SET xid = $1::text::xid8, seq = $2 WHERE name = 'answers';

-- name: skip_to_now  -- nobody wants answers: nothing before now is looked at
UPDATE goal_cursor SET xid = pg_snapshot_xmin(pg_current_snapshot()), seq = 0 WHERE name = 'answers';

-- name: acts_that_count  -- one array a column: $1 customers, $2 kinds, $3 times -> place of each by somebody on the list of a campaign which wants its kind
-- Control too: an experiment compares what both arms did, so what a recipient's act is, his is as well.
SELECT r.place FROM unnest($1::uuid[], $2::text[], $3::timestamptz[]) WITH ORDINALITY AS r (customer, kind, moment, place)
WHERE EXISTS (
    SELECT FROM campaign_recipients p
    JOIN campaign_goals plan ON plan.campaign_id = p.campaign_id AND plan.kind = r.kind
    JOIN campaign_runs run ON run.id = p.run_id
    WHERE p.customer_id = r.customer AND coalesce(p.queued_at, run.started_at, run.frozen_at) <= r.moment
        AND r.moment < coalesce(p.queued_at, run.started_at, run.frozen_at) + make_interval(hours => 24 * coalesce(nullif(plan.window_days, 0), 14))
);

-- name: runs_with_stays  -- $1 kind -> campaign_id, id, window_days of runs some of whose windows ended lately
SELECT r.campaign_id, r.id, c.window_days FROM campaigns c JOIN campaign_runs r ON r.campaign_id = c.id
WHERE c.goal = $1 AND r.started_at + make_interval(hours => 24 * c.window_days) <= now()
    AND r.last_turn_at + make_interval(hours => 24 * c.window_days) > now() - interval '3 days'
ORDER BY r.id;

-- name: stays  -- $1 campaign, $2 run, $3 the last customer before or null, $4 window in days, $5 zone, $6 limit -> customer_id, ends_at, stayed
SELECT p.customer_id, over.ends_at, EXISTS (
    SELECT FROM contracts k
    WHERE k.customer_id = p.customer_id AND k.started_on <= (over.ends_at AT TIME ZONE $5)::date
        AND CASE WHEN k.ended_on IS NULL THEN k.status <> 'cancelled' ELSE k.ended_on > (over.ends_at AT TIME ZONE $5)::date END
) AS stayed
FROM campaign_recipients p
-- The window's last second: a goal counts before the end.
CROSS JOIN LATERAL (SELECT p.assigned_at + make_interval(hours => 24 * $4) - interval '1 second' AS ends_at) AS over
WHERE p.campaign_id = $1 AND p.run_id = $2 AND p.step = 0 AND ($3::uuid IS NULL OR p.customer_id > $3)
    AND over.ends_at < now() AND over.ends_at > now() - interval '3 days'
    AND NOT EXISTS (SELECT FROM goals g WHERE g.kind = 'no_churn' AND g.external_id = $2::uuid::text || ':' || p.customer_id)
ORDER BY p.customer_id LIMIT $6;

-- name: wants_clicks  -- $1 campaign
SELECT EXISTS (SELECT FROM campaign_goals WHERE campaign_id = $1 AND kind = 'click');

-- name: insert_key  -- $1 id, $2 name, $3 secret sealed, $4 actor
INSERT INTO conversion_keys (id, name, secret_encrypted, created_by) VALUES ($1, $2, $3, $4);

-- name: find_key  -- $1 id -> secret_encrypted of one in force
SELECT secret_encrypted FROM conversion_keys WHERE id = $1 AND revoked_at IS NULL;

-- name: touch_key  -- $1 id; once a minute at most
UPDATE conversion_keys SET last_used_at = now() WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute');

-- name: list_keys
SELECT id, name, created_by, last_used_at, revoked_at, created_at FROM conversion_keys ORDER BY created_at DESC, id LIMIT 200;

-- name: show_key  -- $1 id
SELECT id, name, created_by, last_used_at, revoked_at, created_at FROM conversion_keys WHERE id = $1;

-- name: revoke_key  -- $1 id -> name; no row when there is none in force
UPDATE conversion_keys SET revoked_at = now() WHERE id = $1 AND revoked_at IS NULL RETURNING name;
