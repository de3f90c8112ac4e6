-- What becomes of two conversations when one takes in the other.

-- name: point  -- $1 conversation that goes on, $2 the closed one; chains stay one step long
UPDATE conversations SET merged_into = $1 WHERE id = $2 OR merged_into = $2;

-- name: take_over  -- $1 conversation that goes on, $2 the other -> the row: as urgent as either, unanswered since the earlier
-- The 24 h window belongs to a channel's number: it is taken over only from the same one.
UPDATE conversations k SET
    version = k.version + 1,
    priority = greatest(k.priority, m.priority),
    tags = k.tags || ARRAY(SELECT tag FROM unnest(m.tags) AS tag WHERE tag <> ALL (k.tags)),
    wanted_skills = m.wanted_skills || k.wanted_skills,
    wanted_language = coalesce(k.wanted_language, m.wanted_language),
    line_at = CASE WHEN k.state = 'queued' THEN least(k.line_at, m.line_at) ELSE k.line_at END,
    unanswered_since = least(k.unanswered_since, m.unanswered_since),
    last_message_at = greatest(k.last_message_at, m.last_message_at),
    last_customer_message_at = CASE WHEN (k.channel, k.number_id) IS NOT DISTINCT FROM (m.channel, m.number_id)
        THEN greatest(k.last_customer_message_at, m.last_customer_message_at) ELSE k.last_customer_message_at END,
    last_ad_at = CASE WHEN (k.channel, k.number_id) IS NOT DISTINCT FROM (m.channel, m.number_id)
        THEN greatest(k.last_ad_at, m.last_ad_at) ELSE k.last_ad_at END
FROM conversations m WHERE k.id = $1 AND m.id = $2
RETURNING k.*;

-- name: follow  -- $1 conversation that goes on, $2 the other, $3 since: visitors of a website go along, but see nothing that was said there before
INSERT INTO site_talks (visitor_id, conversation_id, since)
SELECT t.visitor_id, k.id, $3 FROM site_talks t JOIN conversations k ON k.id = $1 AND k.channel = 'site'
WHERE t.conversation_id = $2 ON CONFLICT DO NOTHING;

-- name: ask_summary  -- $1 conversation that goes on: what it was about is more now
INSERT INTO summary_turns (conversation_id) VALUES ($1) ON CONFLICT (conversation_id) DO UPDATE SET taken_at = NULL;

-- name: move_turns  -- $1 conversation that goes on, $2 the other: what the bot has to answer, it answers there
UPDATE bot_turn SET conversation_id = $1 WHERE conversation_id = $2;

-- name: move_scheduled  -- $1 conversation that goes on, $2 the other; what was sent or failed stays
UPDATE scheduled_replies SET conversation_id = $1 WHERE conversation_id = $2 AND state = 'waiting';

-- name: queue_of  -- $1 queue -> id, key
SELECT id, key FROM queues WHERE id = $1;

-- name: keep_place  -- $1 conversation, $2 line_at or null: the better of two places in line
UPDATE conversations SET line_at = least(line_at, $2::timestamptz) WHERE id = $1 AND state = 'queued';

-- name: lock_people  -- $1 ids -> rows, locked in id order as everywhere
SELECT id, created_at, status FROM customers WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE;

-- name: keep_profile  -- $1 survivor, $2 merged: what the survivor does not know of itself
UPDATE customers s SET name = coalesce(s.name, m.name), username = coalesce(s.username, m.username), phone = coalesce(s.phone, m.phone),
    state_code = coalesce(s.state_code, m.state_code), version = s.version + 1
FROM customers m WHERE s.id = $1 AND m.id = $2;
