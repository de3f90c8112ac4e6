-- What the sender looks at: which message may go now, and what keeps a number or an account from sending.
SET lock_timeout = '5s';

-- Categories that may not go until `held_until` (spam restriction: no marketing), while others still may. Both this and
-- `paused_until` end by themselves; a pause without an end is lifted by a person.
ALTER TABLE whatsapp_numbers
    ADD COLUMN held_categories text[] NOT NULL DEFAULT '{}',
    ADD COLUMN held_until timestamptz;
ALTER TABLE whatsapp_accounts
    ADD COLUMN held_categories text[] NOT NULL DEFAULT '{}',
    ADD COLUMN held_until timestamptz,
    ADD COLUMN paused_until timestamptz;

-- The queue of each number in the order of sending: a paused number's backlog is never walked through.
CREATE INDEX messages_outbox ON messages (shard, number_id, priority, created_at) WHERE state = 'queued';
-- One person's messages that wait or are being sent: for order per customer, and for an opt-out that cancels them.
CREATE INDEX messages_pending_customer ON messages (customer_id) WHERE state IN ('queued', 'claimed');

-- The one place that says which message may be claimed now. The sender claims from it, the sweep rings for it.
-- One message of a customer at a time. Order: people and bot are one conversation and keep theirs (priorities 0 and 1),
-- utility and marketing keep theirs each, so a reply never waits behind a campaign. An earlier message that waits for
-- its retry holds the later ones back; one that is scheduled, or put off for long, does not.
CREATE VIEW outbox_ready AS
SELECT m.id, m.created_at, m.shard, m.number_id, n.account_id, a.portfolio_id, m.customer_id, m.conversation_id,
    m.priority, m.type, m.category, m.payload, m.attempt, greatest(m.created_at, m.not_before) AS due_at
FROM messages m
JOIN whatsapp_numbers n ON n.id = m.number_id
JOIN whatsapp_accounts a ON a.id = n.account_id
WHERE m.state = 'queued'
    AND (m.not_before IS NULL OR m.not_before <= now())
    AND n.state IN ('connected', 'limited') AND NOT n.held_categories @> ARRAY[coalesce(m.category, 'service')]
    AND a.state = 'active' AND NOT a.held_categories @> ARRAY[coalesce(m.category, 'service')]
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
