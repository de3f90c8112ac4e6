-- Reports that leave by WhatsApp; `analytics` puts them, and knows nothing of the channel.

-- name: claim  -- $1 limit -> deliveries that wait, with their file; tried again later each time
UPDATE report_deliveries d SET attempts = d.attempts + 1, not_before = now() + interval '1 minute' * 2 ^ least(d.attempts, 6)
FROM report_runs r JOIN report_schedules s ON s.id = r.schedule_id
WHERE r.id = d.run_id AND d.id IN (
    SELECT id FROM report_deliveries WHERE channel = 'whatsapp' AND state = 'waiting' AND not_before <= now()
    ORDER BY not_before LIMIT $1 FOR UPDATE SKIP LOCKED
)
RETURNING d.id, d.recipient, d.attempts, d.run_id, r.first_day, r.last_day, r.file, s.template;

-- name: sent  -- $1 id, $2 message -> true: this delivery had none yet
UPDATE report_deliveries SET state = 'sent', sent_at = now(), failure = NULL, message_id = $2
WHERE id = $1 AND state = 'waiting' RETURNING true;

-- name: not_sent  -- $1 id, $2 why, $3 whether it is the end
UPDATE report_deliveries SET failure = $2, state = CASE WHEN $3 THEN 'failed' ELSE state END WHERE id = $1 AND state = 'waiting';
