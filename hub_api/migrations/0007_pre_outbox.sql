-- What the sender looks at: which message may go now, and how it is claimed.
SET lock_timeout = '5s';

-- The one place that says whose turn it is. One message of a customer at a time. Order: people and bot are one
-- conversation and keep theirs (priorities 0 and 1), utility and marketing keep theirs each, so a reply never waits
-- behind a campaign. An earlier message that waits for its retry holds the later ones back; one that is scheduled, or
-- put off for long, does not.
CREATE VIEW outbox_due AS
SELECT m.id, m.created_at, m.shard, m.number_id, m.customer_id, m.conversation_id, m.priority, m.type,
    coalesce(m.category, 'service') AS category, m.payload, m.attempt, greatest(m.created_at, m.not_before) AS due_at
FROM messages m
WHERE m.state = 'queued'
    AND (m.not_before IS NULL OR m.not_before <= now())
    AND NOT EXISTS (
        SELECT FROM messages other
        WHERE other.customer_id = m.customer_id AND other.state IN ('queued', 'claimed')
            AND (
                other.state = 'claimed'
                OR (
                    (other.created_at, other.id) < (m.created_at, m.id)
                    AND other.number_id = m.number_id
                    AND greatest(other.priority, 1) = greatest(m.priority, 1)
                    AND (
                        other.not_before IS NULL OR other.not_before <= now()
                        OR (other.attempt > 0 AND other.not_before <= now() + interval '10 minutes')
                    )
                )
            )
    );

-- Numbers that may send, and what they may not.
CREATE VIEW sending_numbers AS
SELECT n.id, n.phone_number_id, n.throughput_mps, n.account_id, a.portfolio_id, a.token_encrypted,
    n.held_categories || a.held_categories AS held_categories
FROM whatsapp_numbers n JOIN whatsapp_accounts a ON a.id = n.account_id
WHERE n.state IN ('connected', 'limited') AND a.state = 'active';

-- Where something could be claimed now: the sweep rings for these shards. It hops through the index from one queue to
-- the next and looks at the head of each, so its cost grows with the number of queues and not with their length.
CREATE VIEW outbox_ready AS
WITH RECURSIVE queue AS (
    (
        SELECT shard, number_id FROM messages WHERE state = 'queued' AND number_id IS NOT NULL
        ORDER BY shard, number_id LIMIT 1
    )
    UNION ALL
    SELECT next.shard, next.number_id FROM queue CROSS JOIN LATERAL (
        SELECT m.shard, m.number_id FROM messages m
        WHERE m.state = 'queued' AND m.number_id IS NOT NULL AND (m.shard, m.number_id) > (queue.shard, queue.number_id)
        ORDER BY m.shard, m.number_id LIMIT 1
    ) AS next
)
SELECT queue.shard, queue.number_id FROM queue
JOIN sending_numbers n ON n.id = queue.number_id
CROSS JOIN LATERAL (
    SELECT FROM outbox_due d
    WHERE d.shard = queue.shard AND d.number_id = queue.number_id
        AND CASE WHEN d.category = ANY (n.held_categories) THEN false ELSE true END
    LIMIT 1
) AS head;

-- Claims messages that were just read from outbox_ready, all or some of them, and commits with the statement that calls
-- it. A function, because what decides must be read after its customers are locked: each statement in here sees what was
-- committed before it. FOR UPDATE and nothing weaker: a row of the consent ledger references its customer and so holds
-- it KEY SHARE until its commit. An opt-out under way therefore keeps its customer out of this claim, and one that comes
-- later waits for it. It also makes "one message of a customer at a time" exact. Who is locked now is claimed next time.
CREATE FUNCTION claim_messages(ids uuid[], times timestamptz[], customers_of uuid[], low timestamptz, high timestamptz)
RETURNS TABLE (claimed_id uuid, claimed_attempt smallint)
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    ours uuid[];
BEGIN
    SELECT array_agg(locked.id) INTO ours FROM (
        SELECT c.id FROM customers c WHERE c.id = ANY (customers_of) ORDER BY c.id FOR UPDATE SKIP LOCKED
    ) AS locked;
    PERFORM FROM suppressions s WHERE s.customer_id = ANY (ours) FOR SHARE;
    RETURN QUERY
    UPDATE messages m SET state = 'claimed', attempt = m.attempt + 1, claimed_at = clock_timestamp()
    FROM unnest(ids, times) AS picked (id, created_at)
    WHERE m.id = picked.id AND m.created_at = picked.created_at AND m.created_at BETWEEN low AND high
        AND m.customer_id = ANY (ours) AND m.state = 'queued' AND (m.not_before IS NULL OR m.not_before <= now())
        AND NOT EXISTS (
            SELECT FROM messages other WHERE other.customer_id = m.customer_id AND other.state = 'claimed'
        )
        AND NOT EXISTS (
            SELECT FROM suppressions s
            WHERE s.customer_id = m.customer_id AND (s.until IS NULL OR s.until > now())
                AND m.category IN ('marketing', 'utility') AND s.scope IN (m.category, 'all')
        )
    RETURNING m.id, m.attempt;
END
$$;
