-- Messages that the language model labels (migration 0085).

-- name: counts  -- $1 start of today -> today: chosen today; waiting: of all days; waiting_before: those of them that were chosen before today
SELECT count(*) FILTER (WHERE created_at >= $1) AS today, count(*) FILTER (WHERE done_at IS NULL) AS waiting,
    count(*) FILTER (WHERE done_at IS NULL AND created_at < $1) AS waiting_before
FROM teacher_turns WHERE created_at >= $1 OR done_at IS NULL;

-- name: told  -- -> outcome (NULL: waiting), chosen_by, count
SELECT outcome, chosen_by, count(*) AS messages FROM teacher_turns GROUP BY outcome, chosen_by ORDER BY outcome NULLS LAST, chosen_by;

-- name: lock  -- one at a time counts what is left of the day and chooses
SELECT pg_advisory_xact_lock(7215085);

-- name: choose_random  -- $1 candidates in their order, $2 the oldest time of theirs, $3 limit -> message_id
INSERT INTO teacher_turns (message_id, message_created_at, chosen_by)
SELECT m.id, m.created_at, 'random'
FROM unnest($1::uuid[]) WITH ORDINALITY AS one (id, place)
JOIN messages m ON m.id = one.id AND m.created_at >= $2
JOIN customers c ON c.id = m.customer_id
WHERE m.author = 'customer' AND m.type = 'text' AND m.revoked_at IS NULL AND btrim(m.content) <> '' AND c.status <> 'erased'
    AND NOT EXISTS (SELECT FROM teacher_turns known WHERE known.message_id = m.id)
ORDER BY one.place LIMIT $3
ON CONFLICT (message_id) DO NOTHING RETURNING message_id;

-- name: choose_uncertain  -- as choose_random, of equal words the first only: one answer says all that there is to learn
INSERT INTO teacher_turns (message_id, message_created_at, chosen_by)
SELECT id, created_at, 'uncertain'
FROM
(
    SELECT DISTINCT ON (lower(btrim(m.content))) m.id, m.created_at, one.place
    FROM unnest($1::uuid[]) WITH ORDINALITY AS one (id, place)
    JOIN messages m ON m.id = one.id AND m.created_at >= $2
    JOIN customers c ON c.id = m.customer_id
    WHERE m.author = 'customer' AND m.type = 'text' AND m.revoked_at IS NULL AND btrim(m.content) <> '' AND c.status <> 'erased'
        AND NOT EXISTS (SELECT FROM teacher_turns known WHERE known.message_id = m.id)
    ORDER BY lower(btrim(m.content)), one.place
) AS fit
ORDER BY place LIMIT $3
ON CONFLICT (message_id) DO NOTHING RETURNING message_id;

-- name: take  -- $1 limit -> message_id, taken_at of those nobody asks about, or whose worker died five minutes ago; oldest first
WITH due AS (
    SELECT message_id FROM teacher_turns
    WHERE done_at IS NULL AND (taken_at IS NULL OR taken_at < now() - interval '5 minutes')
    ORDER BY created_at, message_id LIMIT $1 FOR UPDATE SKIP LOCKED
)
UPDATE teacher_turns t SET taken_at = now() FROM due WHERE t.message_id = due.message_id RETURNING t.message_id, t.taken_at;

-- name: words  -- $1 messages -> message_id, content, name and username of the customer; no row: its words are gone
SELECT t.message_id, m.content, c.name, c.username
FROM teacher_turns t
JOIN messages m ON m.id = t.message_id AND m.created_at = t.message_created_at
JOIN customers c ON c.id = m.customer_id
WHERE t.message_id = ANY ($1) AND m.revoked_at IS NULL AND btrim(m.content) <> '' AND c.status <> 'erased'
ORDER BY t.message_id;

-- name: still_there  -- $1 messages, $2 taken_at -> message_id, customer_id, chosen_by: still ours, with words and a customer
-- The lock on the customer makes an erasure wait until the event is written, and us until it is over.
SELECT t.message_id, m.customer_id, t.chosen_by
FROM teacher_turns t
JOIN messages m ON m.id = t.message_id AND m.created_at = t.message_created_at
JOIN customers c ON c.id = m.customer_id
WHERE t.message_id = ANY ($1) AND t.taken_at = $2 AND t.done_at IS NULL AND m.revoked_at IS NULL AND m.content IS NOT NULL
    AND c.status <> 'erased'
ORDER BY c.id, t.message_id FOR SHARE OF c FOR UPDATE OF t;

-- name: done  -- $1 messages, $2 taken_at, $3 outcome; those that another worker took meanwhile stay
UPDATE teacher_turns SET done_at = now(), taken_at = NULL, outcome = $3
WHERE message_id = ANY ($1) AND taken_at = $2 AND done_at IS NULL;

-- name: not_understood  -- $1 messages, $2 taken_at, $3 most attempts; given back, or given up
UPDATE teacher_turns SET attempts = attempts + 1, taken_at = NULL,
    done_at = CASE WHEN attempts + 1 >= $3 THEN now() END, outcome = CASE WHEN attempts + 1 >= $3 THEN 'refused' END
WHERE message_id = ANY ($1) AND taken_at = $2 AND done_at IS NULL;

-- name: give_back  -- $1 messages, $2 taken_at
UPDATE teacher_turns SET taken_at = NULL WHERE message_id = ANY ($1) AND taken_at = $2 AND done_at IS NULL;

-- name: forget  -- $1 before: such old messages are no candidates any more
DELETE FROM teacher_turns WHERE created_at < $1 AND done_at IS NOT NULL;
