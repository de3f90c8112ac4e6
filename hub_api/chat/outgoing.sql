-- name: queue_message  -- $1 conversation, $2 message, $3 now, $4 author, $5 author_id, $6 type, $7 content, $8 payload, $9 reply_to, $10 category, $11 priority -> customer_id, number_id, channel, shard, waited_s (null: nobody waited); no row: no such conversation
-- A campaign's or program's message is no answer to whoever is waiting. first_response_at is a person's first message, not the bot's.
-- On the website's chat a message waits for nobody: it is in the visitor's stream with this commit, so it is born as sent.
WITH waiting AS (
    SELECT c.id, c.customer_id, c.number_id, c.channel, customer.shard_id,
        CASE WHEN $4 NOT IN ('campaign', 'system') THEN greatest($3 - c.unanswered_since, interval '0') END AS waited
    FROM conversations c JOIN customers customer ON customer.id = c.customer_id
    WHERE c.id = $1
    FOR NO KEY UPDATE OF c
), touched AS (
    UPDATE conversations c SET
        last_message_at = greatest(c.last_message_at, $3),
        first_response_at = CASE WHEN $4 = 'agent' THEN coalesce(c.first_response_at, $3) ELSE c.first_response_at END,
        avg_response_time = CASE WHEN waited IS NULL THEN c.avg_response_time
            ELSE (coalesce(c.avg_response_time, interval '0') * c.response_count + waited) / (c.response_count + 1) END,
        response_count = c.response_count + (waited IS NOT NULL)::int,
        unanswered_since = CASE WHEN waited IS NULL THEN c.unanswered_since END
    FROM waiting WHERE c.id = waiting.id
), queued AS (
    INSERT INTO messages (id, created_at, conversation_id, customer_id, number_id, direction, author, author_id, type,
                          content, payload, reply_to, state, category, priority, shard, wamid, sent_at, version)
    SELECT $2, $3, id, customer_id, number_id, 'out', $4, $5, $6, $7, $8, $9,
        CASE channel WHEN 'site' THEN 'sent' ELSE 'queued' END, $10, $11, shard_id,
        CASE channel WHEN 'site' THEN site_wamid($2) END, CASE channel WHEN 'site' THEN $3 END,
        CASE channel WHEN 'site' THEN 2 ELSE 1 END
    FROM waiting
), named AS (
    INSERT INTO message_key (wamid, message_id, created_at) SELECT site_wamid($2), $2, $3 FROM waiting WHERE channel = 'site'
)
SELECT customer_id, number_id, channel, shard_id AS shard, extract(epoch FROM waited)::float8 AS waited_s FROM waiting;
