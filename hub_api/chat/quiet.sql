-- name: quiet_with_bot  -- $1 before timestamptz, $2 limit -> ids of conversations with the bot in which nobody has written since
SELECT id FROM conversations
WHERE state = 'bot' AND coalesce(last_message_at, opened_at) < $1
ORDER BY last_message_at LIMIT $2 FOR UPDATE SKIP LOCKED;

-- name: past_reopening  -- $1 before timestamptz, $2 limit -> ids of conversations resolved before, which nobody reopened
SELECT id FROM conversations
WHERE state = 'resolved' AND resolved_at < $1 AND is_demand  -- what we began waits for its first words
ORDER BY last_message_at LIMIT $2 FOR UPDATE SKIP LOCKED;
