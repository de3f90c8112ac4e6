-- Reports on a clock (migration 0043).

-- name: insert  -- $1 id, $2 name, $3 format, $4 every, $5 weekday, $6 month_day, $7 hour, $8 emails, $9 phones, $10 template, $11 active, $12 next_at, $13 actor
INSERT INTO report_schedules (id, name, format, every, weekday, month_day, hour, emails, phones, template, active, next_at, created_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13);

-- name: replace  -- $1 id, then as insert up to next_at
UPDATE report_schedules SET name = $2, format = $3, every = $4, weekday = $5, month_day = $6, hour = $7, emails = $8, phones = $9,
    template = $10, active = $11, next_at = $12, updated_at = now()
WHERE id = $1;

-- name: find  -- $1 id
SELECT * FROM report_schedules WHERE id = $1;

-- name: lock  -- $1 id
SELECT * FROM report_schedules WHERE id = $1 FOR UPDATE;

-- name: remove  -- $1 id; its runs and deliveries go with it
DELETE FROM report_schedules WHERE id = $1;

-- name: list_schedules  -- $1 after id or null, $2 limit -> oldest first
SELECT * FROM report_schedules WHERE $1::uuid IS NULL OR id > $1 ORDER BY id LIMIT $2;

-- name: due  -- $1 limit -> schedules whose time has come, locked
SELECT * FROM report_schedules WHERE active AND next_at <= now() ORDER BY next_at LIMIT $1 FOR UPDATE SKIP LOCKED;

-- name: advance  -- $1 id, $2 next_at
UPDATE report_schedules SET next_at = $2, updated_at = now() WHERE id = $1;

-- name: begin_run  -- $1 id, $2 schedule, $3 due_at, $4 first day, $5 last day -> id; no row when it was begun before
INSERT INTO report_runs (id, schedule_id, due_at, first_day, last_day) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (schedule_id, due_at) DO NOTHING RETURNING id;

-- name: claim_run  -- -> a run to make, its schedule's name and format; another worker has it in two minutes if this one dies
UPDATE report_runs r SET attempts = r.attempts + 1, not_before = now() + interval '2 minutes'
FROM report_schedules s
WHERE s.id = r.schedule_id AND r.id = (
    SELECT id FROM report_runs WHERE state = 'due' AND not_before <= now() ORDER BY not_before LIMIT 1 FOR UPDATE SKIP LOCKED
)
RETURNING r.id, r.due_at, r.first_day, r.last_day, r.attempts, s.name, s.format;

-- name: put_off  -- $1 id, $2 interval, $3 why
UPDATE report_runs SET not_before = now() + $2, failure = $3 WHERE id = $1 AND state = 'due';

-- name: give_up  -- $1 id, $2 why
UPDATE report_runs SET state = 'failed', failure = $2 WHERE id = $1 AND state = 'due';

-- name: made  -- $1 id, $2 file, $3 newest day in it -> true when this is the first time
UPDATE report_runs SET state = 'made', file = $2, built_through = $3, failure = NULL, made_at = now()
WHERE id = $1 AND state = 'due' RETURNING true;

-- name: address  -- $1 run: one delivery for each recipient of its schedule
INSERT INTO report_deliveries (id, run_id, channel, recipient)
SELECT gen_random_uuid(), r.id, given.channel, given.recipient
FROM report_runs r JOIN report_schedules s ON s.id = r.schedule_id
CROSS JOIN LATERAL (
    SELECT 'email' AS channel, unnest(s.emails) AS recipient UNION SELECT 'whatsapp', unnest(s.phones)
) AS given
WHERE r.id = $1
ON CONFLICT (run_id, channel, recipient) DO NOTHING;

-- name: claim_deliveries  -- $1 channel, $2 limit -> those that wait, with their file; tried again later each time
UPDATE report_deliveries d SET attempts = d.attempts + 1, not_before = now() + interval '1 minute' * 2 ^ least(d.attempts, 6)
FROM report_runs r JOIN report_schedules s ON s.id = r.schedule_id
WHERE r.id = d.run_id AND d.id IN (
    SELECT id FROM report_deliveries WHERE channel = $1 AND state = 'waiting' AND not_before <= now()
    ORDER BY not_before LIMIT $2 FOR UPDATE SKIP LOCKED
)
RETURNING d.id, d.recipient, d.attempts, r.id AS run_id, r.first_day, r.last_day, r.file, s.name, s.format, s.template;

-- name: delivered  -- $1 id, $2 message or null
UPDATE report_deliveries SET state = 'sent', sent_at = now(), failure = NULL, message_id = $2 WHERE id = $1 AND state = 'waiting';

-- name: not_delivered  -- $1 id, $2 why, $3 whether it is the end
UPDATE report_deliveries SET failure = $2, state = CASE WHEN $3 THEN 'failed' ELSE state END WHERE id = $1 AND state = 'waiting';

-- name: list_runs  -- $1 schedule, $2 before id or null, $3 limit -> newest first, with what became of each delivery
SELECT r.id, r.due_at, r.first_day, r.last_day, r.state, r.failure, r.built_through, r.made_at, octet_length(r.file) AS bytes,
    coalesce((
        SELECT jsonb_agg(jsonb_build_object('channel', d.channel, 'recipient', d.recipient, 'state', d.state, 'failure', d.failure,
            'sent_at', d.sent_at) ORDER BY d.channel, d.recipient)
        FROM report_deliveries d WHERE d.run_id = r.id
    ), '[]') AS deliveries
FROM report_runs r WHERE r.schedule_id = $1 AND ($2::uuid IS NULL OR r.id < $2)
ORDER BY r.id DESC LIMIT $3;

-- name: forget  -- files after a month, runs after a year
WITH old AS (DELETE FROM report_runs WHERE created_at < now() - interval '1 year')
UPDATE report_runs SET file = NULL WHERE file IS NOT NULL AND created_at < now() - interval '31 days';
