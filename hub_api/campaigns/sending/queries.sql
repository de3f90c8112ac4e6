-- Campaigns at work: whose turn it is, what became of it, holding and ending.

-- name: at_work  -- -> campaigns that a tick looks at: id, state, kind, next_at
SELECT id, state, kind, next_at FROM campaigns WHERE state IN ('scheduled', 'running', 'paused') ORDER BY id;

-- name: ending  -- -> ids of campaigns that ended and still have runs or recipients at work
SELECT DISTINCT c.id FROM campaigns c JOIN campaign_runs r ON r.campaign_id = c.id
WHERE c.state IN ('cancelled', 'failed') AND r.state IN ('freezing', 'frozen', 'running');

-- name: lock_working  -- $1 campaign -> it, locked; no row unless it runs: a pause waits for the portion under way, no portion begins after it
SELECT * FROM campaigns WHERE id = $1 AND state = 'running' FOR NO KEY UPDATE;

-- name: one_at_a_time  -- $1 campaign as text -> whether nobody else works on it now (until the commit)
SELECT pg_try_advisory_xact_lock(hashtextextended('campaign:' || $1, 0));

-- name: caps_in_turn  -- $1 campaign: portions of campaigns with a cap are judged one after the other (until the commit), each sees what the others sent
SELECT pg_advisory_xact_lock(hashtextextended('campaign-caps', 0)) FROM campaigns WHERE id = $1 AND jsonb_typeof(pacing -> 'cap') = 'object';

-- name: variants  -- $1 campaign -> its variants in order
SELECT name, template_name, template_language, variables, share::float8 AS share, active FROM campaign_variants
WHERE campaign_id = $1 ORDER BY position;

-- name: add_run  -- $1 id, $2 campaign, $3 occurrence -> id; no row when it has this one
INSERT INTO campaign_runs (id, campaign_id, occurrence) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING id;

-- name: runs_at_work  -- $1 campaign -> its runs that are not over, oldest first
SELECT id, campaign_id, occurrence, state, turns, promoted, last_turn_at, started_at, created_at,
    members - coalesce((SELECT sum(n::int) FROM jsonb_each_text(excluded) AS e (reason, n)), 0)::int AS eligible
FROM campaign_runs
WHERE campaign_id = $1 AND state IN ('freezing', 'frozen', 'running') ORDER BY id;

-- name: begin_run  -- $1 run -> true: it begins now
UPDATE campaign_runs SET state = 'running', started_at = now() WHERE id = $1 AND state = 'frozen' RETURNING true;

-- name: set_waits_for  -- $1 run, $2 why nothing of it leaves (null: it does, or nobody waits)
UPDATE campaign_runs SET waits_for = $2 WHERE id = $1 AND waits_for IS DISTINCT FROM $2;

-- name: due  -- $1 run, $2 now, $3 limit -> recipients whose turn has come, in their order: a list whose hours are still to come is not walked through
SELECT customer_id, step, variant, attempt, state_code, variables, send_after FROM campaign_recipients
WHERE run_id = $1 AND state = 'pending' AND send_after <= $2 ORDER BY send_after, position LIMIT $3;

-- name: exclusions  -- $1 customers, $2 run, $3 lane, $4 cap's messages, $5 cap's days -> customer_id, reason
SELECT customer_id, reason FROM campaign_exclusions_of($1, $2, $3, $4, $5);

-- name: postpone  -- $1 campaign, $2 run, $3 customers, $4 steps, $5 moments (null: none suits any more)
UPDATE campaign_recipients r SET send_after = given.at, state = CASE WHEN given.at IS NULL THEN 'excluded' ELSE r.state END,
    excluded_for = CASE WHEN given.at IS NULL THEN 'no_time' END, settled_at = CASE WHEN given.at IS NULL THEN now() END
FROM unnest($3::uuid[], $4::smallint[], $5::timestamptz[]) AS given (customer_id, step, at)
WHERE r.campaign_id = $1 AND r.run_id = $2 AND r.customer_id = given.customer_id AND r.step = given.step AND r.state = 'pending';

-- name: exclude  -- $1 campaign, $2 run, $3 customers, $4 steps, $5 reasons
UPDATE campaign_recipients r SET state = 'excluded', excluded_for = given.reason, settled_at = now()
FROM unnest($3::uuid[], $4::smallint[], $5::text[]) AS given (customer_id, step, reason)
WHERE r.campaign_id = $1 AND r.run_id = $2 AND r.customer_id = given.customer_id AND r.step = given.step AND r.state = 'pending';

-- name: control  -- $1 campaign, $2 run, $3 customers, $4 variant, $5 now: they get nothing, and their time counts from now
UPDATE campaign_recipients SET state = 'control', variant = $4, settled_at = now(), assigned_at = $5
WHERE campaign_id = $1 AND run_id = $2 AND customer_id = ANY ($3::uuid[]) AND step = 0 AND state = 'pending';

-- name: queued  -- $1 campaign, $2 run, $3 customers, $4 steps, $5 variants, $6 messages, $7 their created_at, $8 now -> rows
UPDATE campaign_recipients r SET state = 'queued', variant = given.variant, message_id = given.message_id,
    message_created_at = given.created_at, queued_at = given.created_at, attempt = r.attempt + 1, settled_at = NULL, error_code = NULL,
    assigned_at = coalesce(r.assigned_at, $8)
FROM unnest($3::uuid[], $4::smallint[], $5::text[], $6::uuid[], $7::timestamptz[]) AS given (customer_id, step, variant, message_id, created_at)
WHERE r.campaign_id = $1 AND r.run_id = $2 AND r.customer_id = given.customer_id AND r.step = given.step AND r.state = 'pending';

-- name: count_turns  -- $1 campaign, $2 run, $3 first turns, $4 placed, $5 today
WITH run AS (UPDATE campaign_runs SET turns = turns + $3, last_turn_at = now() WHERE id = $2)
UPDATE campaigns SET placed = placed + $4, placed_today = CASE WHEN placed_day = $5 THEN placed_today ELSE 0 END + $4, placed_day = $5
WHERE id = $1;

-- name: give_back  -- $1 campaign, $2 messages that failed: they cost nothing
UPDATE campaigns SET placed = greatest(placed - $2, 0) WHERE id = $1;

-- name: in_outbox  -- $1 campaign's runs -> messages that wait or are being sent
SELECT count(*)::int FROM campaign_recipients WHERE run_id = ANY ($1::uuid[]) AND state = 'queued';

-- name: settle  -- $1 run, $2 since (no message of it is older) -> customer_id, step, attempt, error_code, state, queued_at, state_code of those whose message has left the outbox
WITH moved AS (
    SELECT r.customer_id, r.step, m.error_code, m.state FROM campaign_recipients r
    JOIN messages m ON m.id = r.message_id AND m.created_at = r.message_created_at AND m.created_at >= $2
    WHERE r.run_id = $1 AND (r.state = 'queued' AND m.state NOT IN ('queued', 'claimed') OR r.state = 'unknown' AND m.state <> 'unknown'
        OR r.state = 'sent' AND r.queued_at > now() - interval '2 hours' AND m.state = 'failed')
)
UPDATE campaign_recipients r SET
    state = CASE moved.state WHEN 'failed' THEN 'failed' WHEN 'unknown' THEN 'unknown' WHEN 'cancelled' THEN 'excluded' ELSE 'sent' END,
    excluded_for = CASE WHEN moved.state = 'cancelled' THEN 'stopped' END, error_code = moved.error_code, settled_at = now()
FROM moved
WHERE r.run_id = $1 AND r.customer_id = moved.customer_id AND r.step = moved.step AND r.state IN ('queued', 'unknown', 'sent')
RETURNING r.customer_id, r.step, r.attempt, r.error_code, r.state, r.queued_at, r.state_code;

-- name: try_again  -- $1 campaign, $2 run, $3 customers, $4 steps, $5 moments
UPDATE campaign_recipients r SET state = 'pending', send_after = given.at
FROM unnest($3::uuid[], $4::smallint[], $5::timestamptz[]) AS given (customer_id, step, at)
WHERE r.campaign_id = $1 AND r.run_id = $2 AND r.customer_id = given.customer_id AND r.step = given.step AND r.state = 'failed';

-- name: add_steps  -- $1 campaign, $2 run, $3 customers, $4 steps, $5 variants, $6 moments
INSERT INTO campaign_recipients (campaign_id, run_id, customer_id, step, variant, position, state, send_after, state_code, variables)
SELECT $1, $2, given.customer_id, given.step, given.variant, r.position, 'pending', given.at, r.state_code, r.variables
FROM unnest($3::uuid[], $4::smallint[], $5::text[], $6::timestamptz[]) AS given (customer_id, step, variant, at)
JOIN campaign_recipients r ON r.campaign_id = $1 AND r.run_id = $2 AND r.customer_id = given.customer_id AND r.step = 0
ON CONFLICT DO NOTHING;

-- name: answers  -- $1 campaign, $2 run, $3 customers -> customer_id, was_read, replied: to the last message that was sent
SELECT DISTINCT ON (r.customer_id) r.customer_id, m.read_at IS NOT NULL AS was_read, EXISTS (
    SELECT FROM conversations v WHERE v.customer_id = r.customer_id AND v.last_customer_message_at > r.queued_at
) AS replied
FROM campaign_recipients r JOIN messages m ON m.id = r.message_id AND m.created_at = r.message_created_at
WHERE r.campaign_id = $1 AND r.run_id = $2 AND r.customer_id = ANY ($3::uuid[]) AND r.message_id IS NOT NULL
ORDER BY r.customer_id, r.step DESC;

-- name: hold  -- $1 campaign: what waits in the outbox goes on when the campaign does -> ids
-- Locked by id first, like all that write many messages at once: two of them never wait for each other.
WITH waiting AS (
    SELECT m.id, m.created_at FROM campaign_runs run JOIN campaign_recipients r ON r.run_id = run.id AND r.state = 'queued'
    JOIN messages m ON m.id = r.message_id AND m.created_at = r.message_created_at
    WHERE run.campaign_id = $1 AND run.state = 'running' AND m.state = 'queued' AND m.put_off IS DISTINCT FROM 'campaign'
    ORDER BY m.id FOR UPDATE OF m
)
UPDATE messages m SET updated_at = now(), not_before = '2100-01-01 00:00:00+00', put_off = 'campaign'
FROM waiting WHERE m.id = waiting.id AND m.created_at = waiting.created_at AND m.state = 'queued' RETURNING m.id;

-- name: let_go  -- $1 campaign, $2 now -> id, shard of what was held
WITH waiting AS (
    SELECT m.id, m.created_at FROM campaign_runs run JOIN campaign_recipients r ON r.run_id = run.id AND r.state = 'queued'
    JOIN messages m ON m.id = r.message_id AND m.created_at = r.message_created_at
    WHERE run.campaign_id = $1 AND run.state = 'running' AND m.state = 'queued' AND m.put_off = 'campaign'
    ORDER BY m.id FOR UPDATE OF m
)
UPDATE messages m SET updated_at = now(), not_before = $2, put_off = NULL
FROM waiting WHERE m.id = waiting.id AND m.created_at = waiting.created_at RETURNING m.id, m.shard;

-- name: late  -- $1 campaign -> state_code of recipients who wait in the outbox (put_off: held already)
SELECT DISTINCT r.state_code FROM campaign_runs run JOIN campaign_recipients r ON r.run_id = run.id AND r.state = 'queued'
WHERE run.campaign_id = $1 AND run.state = 'running';

-- name: wait_for_hours  -- $1 campaign, $2 states ('' for none), $3 their next openings
WITH waiting AS (
    SELECT m.id, m.created_at, given.at FROM campaign_runs run JOIN campaign_recipients r ON r.run_id = run.id AND r.state = 'queued'
    JOIN unnest($2::text[], $3::timestamptz[]) AS given (state, at) ON given.state = coalesce(r.state_code, '')
    JOIN messages m ON m.id = r.message_id AND m.created_at = r.message_created_at
    WHERE run.campaign_id = $1 AND run.state = 'running' AND m.state = 'queued' AND coalesce(m.not_before, '-infinity') < given.at
    ORDER BY m.id FOR UPDATE OF m
)
UPDATE messages m SET updated_at = now(), not_before = waiting.at FROM waiting WHERE m.id = waiting.id AND m.created_at = waiting.created_at;

-- name: cancel_messages  -- $1 campaign, $2 limit -> id, version, conversation_id, customer_id of those that will not be sent
WITH waiting AS (
    SELECT m.id, m.created_at FROM campaign_runs run JOIN campaign_recipients r ON r.run_id = run.id AND r.state = 'queued'
    JOIN messages m ON m.id = r.message_id AND m.created_at = r.message_created_at
    WHERE run.campaign_id = $1 AND m.state = 'queued' ORDER BY m.id LIMIT $2 FOR UPDATE OF m
)
UPDATE messages m SET updated_at = now(), state = 'cancelled', version = m.version + 1
FROM waiting WHERE m.id = waiting.id AND m.created_at = waiting.created_at RETURNING m.id, m.version, m.conversation_id, m.customer_id;

-- name: cancel_recipients  -- $1 campaign, $2 limit -> how many; those whose message is cancelled, and those whose turn never came
WITH over AS (
    SELECT r.customer_id, r.run_id, r.step FROM campaign_runs run JOIN campaign_recipients r ON r.run_id = run.id
    LEFT JOIN messages m ON m.id = r.message_id AND m.created_at = r.message_created_at
    WHERE run.campaign_id = $1 AND run.state IN ('freezing', 'frozen', 'running')
        AND (r.state = 'pending' OR r.state = 'queued' AND m.state = 'cancelled')
    LIMIT $2
), done AS (
    UPDATE campaign_recipients r SET state = 'cancelled', settled_at = now() FROM over
    WHERE r.campaign_id = $1 AND r.customer_id = over.customer_id AND r.run_id = over.run_id AND r.step = over.step RETURNING 1
)
SELECT count(*)::int FROM done;

-- name: end_runs  -- $1 campaign, $2 state: those without anything under way
UPDATE campaign_runs run SET state = $2, waits_for = NULL, finished_at = now()
WHERE campaign_id = $1 AND state IN ('freezing', 'frozen', 'running') AND NOT EXISTS (
    SELECT FROM campaign_recipients r WHERE r.run_id = run.id AND r.state IN ('pending', 'queued')
);

-- name: complete_run  -- $1 run -> true: nobody waits any more
UPDATE campaign_runs run SET state = 'completed', waits_for = NULL, finished_at = now()
WHERE id = $1 AND state = 'running'
    AND NOT EXISTS (SELECT FROM campaign_recipients r WHERE r.run_id = $1 AND r.state = 'pending')
    AND NOT EXISTS (SELECT FROM campaign_recipients r WHERE r.run_id = $1 AND r.state = 'queued')
RETURNING true;

-- name: failed_run  -- $1 campaign -> failure of a run of a once campaign that could not be frozen
SELECT failure FROM campaign_runs WHERE campaign_id = $1 AND state = 'failed' ORDER BY id DESC LIMIT 1;

-- name: looked  -- $1 run, $2 'read', 'reply' or 'conversion', $3 end of what is counted, $4 goal, $5 its window in days -> variant, period (0 from the first on), n, successes, opt_outs by first messages
-- Whoever was assigned counts, whatever became of his message, as in gold.experiment_results; and a goal counts from then on.
WITH turns AS (
    SELECT r.variant, r.customer_id, coalesce(r.assigned_at, r.message_created_at, r.settled_at) AS at, r.message_id, r.message_created_at
    FROM campaign_recipients r
    WHERE r.run_id = $1 AND r.step = 0 AND r.variant <> ''
        AND (r.assigned_at IS NOT NULL OR r.state IN ('queued', 'sent', 'failed', 'unknown', 'control'))
)
SELECT turns.variant, width_bucket(turns.at, $3::timestamptz[]) AS period, count(*)::int AS n,
    count(*) FILTER (WHERE CASE $2
        WHEN 'read' THEN EXISTS (
            SELECT FROM messages m WHERE m.id = turns.message_id AND m.created_at = turns.message_created_at AND m.read_at IS NOT NULL
        )
        WHEN 'conversion' THEN EXISTS (
            SELECT FROM goals g WHERE g.customer_id = turns.customer_id AND g.kind = $4
                AND g.occurred_at >= turns.at AND g.occurred_at < turns.at + make_interval(hours => 24 * $5)
        )
        ELSE EXISTS (
            SELECT FROM conversations v WHERE v.customer_id = turns.customer_id AND v.last_customer_message_at > turns.at
        ) END)::int AS successes,
    count(*) FILTER (WHERE EXISTS (
        SELECT FROM consent_ledger l WHERE l.customer_id = turns.customer_id AND NOT l.granted AND l.scope IN ('marketing', 'all')
            AND l.occurred_at > turns.at
    ))::int AS opt_outs
FROM turns GROUP BY 1, 2;

-- name: decisions  -- $1 run -> rule, outcome, evidence, decided_at, oldest first
SELECT rule, outcome, evidence, decided_at FROM campaign_decisions WHERE run_id = $1 ORDER BY decided_at, id;

-- name: set_shares  -- $1 campaign, $2 names, $3 shares
UPDATE campaign_variants v SET share = given.share FROM unnest($2::text[], $3::float8[]) AS given (name, share)
WHERE v.campaign_id = $1 AND v.name = given.name;

-- name: promote  -- $1 run, $2 variant
UPDATE campaign_runs SET promoted = $2 WHERE id = $1;

-- name: lose  -- $1 campaign, $2 the winner: the other messages go to nobody any more
UPDATE campaign_variants SET active = false WHERE campaign_id = $1 AND name <> $2 AND template_name IS NOT NULL AND share > 0;

-- name: failures  -- $1 run -> n, failed, opt_outs of what has been sent so far
SELECT count(*)::int AS n, count(*) FILTER (WHERE r.state = 'failed')::int AS failed, count(*) FILTER (WHERE EXISTS (
    SELECT FROM consent_ledger l WHERE l.customer_id = r.customer_id AND NOT l.granted AND l.scope IN ('marketing', 'all')
        AND l.occurred_at > r.queued_at
))::int AS opt_outs
FROM campaign_recipients r WHERE r.run_id = $1 AND r.state IN ('sent', 'failed', 'unknown');

-- name: experiment_version  -- $1 experiment -> version of the last plan that was told; 0: none
SELECT coalesce(max(aggregate_version), 0) FROM events WHERE aggregate_id = $1 AND type = 'experiment.planned';
