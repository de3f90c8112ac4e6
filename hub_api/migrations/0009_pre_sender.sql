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
    AND n.state IN ('connected', 'limited') AND coalesce(m.category, 'service') <> ALL (n.held_categories)
    AND a.state = 'active' AND coalesce(m.category, 'service') <> ALL (a.held_categories)
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
