-- What somebody who watches a campaign asks every second or two. Read only; of one run, by its indexes.

-- name: run  -- $1 campaign, $2 run (null: the newest) -> it with the shares and names a read-out needs
SELECT id, campaign_id, occurrence, state, as_of, asset_version, read_so_far, members, encode(members_sha256, 'hex') AS members_sha256, excluded,
    turns, promoted, failure, waits_for, created_at, frozen_at, started_at, finished_at,
    coalesce((SELECT sum(n::int) FROM jsonb_each_text(excluded) AS e (reason, n)), 0)::int AS excluded_at_freeze,
    (SELECT min(next.created_at) FROM campaign_runs next WHERE next.campaign_id = r.campaign_id AND next.id > r.id) AS next_run_at
FROM campaign_runs r WHERE campaign_id = $1 AND ($2::uuid IS NULL OR id = $2) ORDER BY id DESC LIMIT 1;

-- name: states  -- $1 run -> variant, state, recipients
SELECT variant, state, count(*)::int AS recipients FROM campaign_recipients WHERE run_id = $1 GROUP BY variant, state;

-- name: reasons  -- $1 run -> why recipients were left out, since the freeze too
SELECT excluded_for AS reason, count(*)::int AS recipients FROM campaign_recipients
WHERE run_id = $1 AND state = 'excluded' GROUP BY excluded_for ORDER BY recipients DESC, reason;

-- name: failures  -- $1 run -> error_code (null: no answer of Meta's), recipients
SELECT error_code, count(*)::int AS recipients FROM campaign_recipients
WHERE run_id = $1 AND state IN ('failed', 'unknown') GROUP BY error_code ORDER BY recipients DESC, error_code;

-- name: pace  -- $1 run -> messages that Meta took in the last minute, how late the first waiting one is, when the next one's time comes
SELECT
    (SELECT count(*) FROM campaign_recipients r WHERE r.run_id = $1 AND r.state = 'sent' AND r.settled_at > now() - interval '1 minute')::int
        AS last_minute,
    coalesce(extract(epoch FROM now() - (
        SELECT min(r.send_after) FROM campaign_recipients r WHERE r.run_id = $1 AND r.state = 'pending' AND r.send_after <= now()
    )), 0)::float8 AS lag_s,
    (SELECT min(r.send_after) FROM campaign_recipients r WHERE r.run_id = $1 AND r.state = 'pending' AND r.send_after > now()) AS next_turn_at,
    (SELECT max(r.settled_at) FROM campaign_recipients r WHERE r.run_id = $1 AND r.state = 'sent') AS last_sent_at;

-- name: put_off  -- $1 run -> reason (quota, pair, template, campaign), messages in the outbox that wait for it
SELECT m.put_off AS reason, count(*)::int AS messages
FROM campaign_recipients r JOIN messages m ON m.id = r.message_id AND m.created_at = r.message_created_at
WHERE r.run_id = $1 AND r.state = 'queued' AND m.state = 'queued' AND m.put_off IS NOT NULL GROUP BY m.put_off ORDER BY m.put_off;

-- name: recipients  -- $1 campaign, $2 state or null, $3 variant or null, $4 reason or null, $5 run or null, $6 customer, $7 run, $8 step of the last row before or null, $9 limit
SELECT r.customer_id, r.run_id, r.step, run.occurrence, r.variant, r.state, r.excluded_for, r.send_after, r.queued_at, r.message_id,
    r.error_code, c.name, c.phone
FROM campaign_recipients r
JOIN campaign_runs run ON run.id = r.run_id
LEFT JOIN customers c ON c.id = r.customer_id
WHERE r.campaign_id = $1 AND ($2::text IS NULL OR r.state = $2) AND ($3::text IS NULL OR r.variant = $3)
    AND ($4::text IS NULL OR r.excluded_for = $4) AND ($5::uuid IS NULL OR r.run_id = $5)
    AND ($6::uuid IS NULL OR (r.customer_id, r.run_id, r.step) > ($6, $7::uuid, $8::smallint))
ORDER BY r.customer_id, r.run_id, r.step LIMIT $9;

-- name: of_customer  -- $1 customer, $2 teams, $3 caller, $4 limit -> what campaigns meant for him, newest first: those the caller sees
SELECT r.campaign_id, c.name AS campaign, r.run_id, r.step, r.variant, r.state, r.excluded_for, r.queued_at, r.message_id
FROM campaign_recipients r JOIN campaigns c ON c.id = r.campaign_id
WHERE r.customer_id = $1 AND ($2::uuid[] IS NULL OR c.team_id IS NULL OR c.team_id = ANY ($2) OR c.created_by = 'user:' || $3::text)
ORDER BY r.queued_at DESC NULLS LAST, r.campaign_id DESC, r.step DESC LIMIT $4;
