-- Where a message comes from and what became of it. Read only.

-- name: find_message  -- $1 message -> it, without its words
SELECT m.id, m.created_at, m.conversation_id, m.customer_id, m.number_id, m.author, m.type, m.category, m.state, m.attempt,
    m.claimed_at, m.accepted_at, m.sent_at, m.delivered_at, m.read_at, m.failed_at, m.error_code, m.pricing
FROM messages m WHERE m.id = $1 AND m.direction = 'out';

-- name: queued_event  -- $1 message -> campaign_id, variant, template of its queueing
SELECT (payload ->> 'campaign_id')::uuid AS campaign_id, payload ->> 'variant' AS variant, payload ->> 'template' AS template
FROM events WHERE aggregate_id = $1 AND type = 'message.queued' LIMIT 1;

-- name: statuses  -- $1 message -> each change of its state, in order
SELECT occurred_at AS at, payload ->> 'from_state' AS from_state, payload ->> 'to_state' AS to_state,
    (payload ->> 'error_code')::int AS error_code
FROM events WHERE aggregate_id = $1 AND type = 'message.state_changed' ORDER BY aggregate_version, seq;

-- name: cost  -- $1 message -> the last price that was told
SELECT (payload ->> 'cost_micros')::bigint AS cost_micros, payload ->> 'cost_currency' AS cost_currency
FROM events WHERE aggregate_id = $1 AND type IN ('message.state_changed', 'message.priced') AND payload ->> 'cost_micros' IS NOT NULL
ORDER BY aggregate_version DESC, seq DESC LIMIT 1;

-- name: consent_then  -- $1 customer, $2 moment -> the last decision of each scope until then
SELECT DISTINCT ON (scope) scope, granted, source, text_version, occurred_at FROM consent_ledger
WHERE customer_id = $1 AND created_at <= $2 ORDER BY scope, occurred_at DESC;

-- name: clicks  -- $1 customer, $2 campaign, $3 message -> the links it carried, and those of the campaign that belong to no message
SELECT t.id AS link_id, t.name, l.clicks, l.previews, l.first_clicked_at, l.last_clicked_at
FROM tracked_links l JOIN link_targets t ON t.id = l.target_id
WHERE l.customer_id = $1 AND l.campaign_id = $2 AND coalesce(l.message_id, $3) = $3 ORDER BY l.created_at;

-- name: goals  -- $1 message -> goals whose last campaign message it is, counted or not
SELECT g.id, g.kind, g.occurred_at, g.value_micros, g.value_currency, a.reason, a.window_days
FROM goal_attributions a JOIN goals g ON g.id = a.goal_id WHERE a.message_id = $1 ORDER BY g.occurred_at;

-- name: answers  -- $1 customer, $2 from, $3 until -> when he wrote, his first messages
SELECT m.id, m.created_at AS at, m.type FROM messages m
WHERE m.conversation_id IN (SELECT id FROM conversations WHERE customer_id = $1) AND m.direction = 'in'
    AND m.created_at >= $2 AND m.created_at < $3
ORDER BY m.created_at LIMIT 20;

-- name: next_campaign_message  -- $1 customer, $2 moment -> when the next campaign wrote to him: what he does then is laid to that
SELECT m.created_at FROM conversations c
JOIN messages m ON m.conversation_id = c.id AND m.direction = 'out' AND m.created_at > $2
JOIN events e ON e.aggregate_id = m.id AND e.type = 'message.queued' AND e.payload ->> 'campaign_id' IS NOT NULL
WHERE c.customer_id = $1 ORDER BY m.created_at LIMIT 1;

-- name: assignment  -- $1 aggregates of the assignment, by whatever names the experiment -> experiment, variant, when
SELECT (payload ->> 'experiment_id')::uuid AS experiment_id, payload ->> 'experiment' AS experiment, payload ->> 'variant' AS variant,
    occurred_at AS assigned_at
FROM events WHERE aggregate_id = ANY($1::uuid[]) AND type = 'experiment.assigned' ORDER BY aggregate_version LIMIT 1;

-- name: segment_names  -- $1 ids -> id, name
SELECT id, name FROM segments WHERE id = ANY($1::uuid[]);

-- name: opt_out_violations  -- $1 since -> marketing or utility messages that were claimed after an opt-out of theirs was committed
-- The rule of design §4.5 looked at from outside: always none. A claim reads the suppression FOR SHARE, so the ledger's row was
-- there before a later claim began. When it was committed is not stored: its transaction began at created_at, five seconds are its own.
SELECT m.id, m.customer_id, m.category, m.claimed_at, l.scope, l.created_at AS opted_out_at
FROM consent_ledger l
JOIN conversations c ON c.customer_id = l.customer_id
JOIN messages m ON m.conversation_id = c.id AND m.direction = 'out' AND m.category IN ('marketing', 'utility')
    AND l.scope IN (m.category, 'all') AND m.claimed_at > l.created_at + interval '5 seconds' AND m.created_at >= $1::timestamptz - interval '7 days'
WHERE NOT l.granted AND l.created_at >= $1 AND m.claimed_at >= $1
    AND m.state NOT IN ('cancelled', 'queued')
    AND NOT EXISTS (
        SELECT FROM consent_ledger back
        WHERE back.customer_id = l.customer_id AND back.granted AND (back.scope IN (l.scope, 'all') OR l.scope = 'all')
            AND back.occurred_at >= l.occurred_at AND back.created_at <= m.claimed_at
    )
    AND NOT EXISTS (
        SELECT FROM consent_ledger newer
        WHERE newer.customer_id = l.customer_id AND newer.granted AND newer.occurred_at > l.occurred_at
            AND newer.created_at <= l.created_at
    )
ORDER BY m.claimed_at LIMIT 100;

-- name: audience  -- $1 message -> the campaign, the run's frozen list with what proves it, and what was decided of this customer
SELECT c.name AS campaign, c.state AS campaign_state, c.audience, c.goal, c.window_days, c.approved_by, c.experiment ->> 'salt' AS salt,
    r.id AS run_id, r.occurrence, r.definition, r.as_of, r.asset_version, r.members, encode(r.members_sha256, 'hex') AS members_sha256,
    r.frozen_at, p.step, p.variant, p.position, p.state, p.excluded_for, p.send_after, p.attempt, p.queued_at
FROM campaign_recipients p
JOIN campaigns c ON c.id = p.campaign_id
JOIN campaign_runs r ON r.id = p.run_id
WHERE p.message_id = $1;

-- name: decisions_before  -- $1 campaign, $2 moment -> what its rules had decided by then
SELECT rule, outcome, evidence, decided_by, decided_at FROM campaign_decisions
WHERE campaign_id = $1 AND decided_at <= $2 ORDER BY decided_at LIMIT 100;


-- name: campaign_states  -- -> recipients of campaigns at work, by state and, of those that failed, by Meta's code
SELECT r.campaign_id, r.state, CASE WHEN r.state = 'failed' THEN r.error_code END AS error_code, count(*) AS recipients
FROM campaign_recipients r JOIN campaigns c ON c.id = r.campaign_id AND c.state IN ('running', 'paused')
GROUP BY 1, 2, 3;

-- name: campaign_lags  -- -> how late the first recipient is whose time has come (not whom a test holds back), and who opted out since his message
SELECT c.id AS campaign_id,
    coalesce(extract(epoch FROM now() - (
        SELECT min(coalesce(r.send_after, c.started_at)) FROM campaign_recipients r
        JOIN campaign_runs run ON run.id = r.run_id AND run.waits_for IS DISTINCT FROM 'winner'
        WHERE r.campaign_id = c.id AND r.state = 'pending' AND coalesce(r.send_after, c.started_at) <= now()
    )), 0)::float8 AS lag_s,
    (
        SELECT count(DISTINCT r.customer_id) FROM campaign_recipients r
        JOIN consent_ledger l ON l.customer_id = r.customer_id AND NOT l.granted AND l.scope IN ('marketing', 'all')
            AND l.occurred_at >= r.queued_at AND l.occurred_at < r.queued_at + interval '7 days'
        WHERE r.campaign_id = c.id
    ) AS opt_outs
FROM campaigns c WHERE c.state IN ('running', 'paused');
