-- Queues by number, then shard: a shard seldom holds messages of every number, and a run over one shard used a part of the
-- pool only. Now each number is fed from the nearest shard that has something for it.
SET lock_timeout = '5s';

-- In a queue: first what was never put off, oldest first, then what was, by the time from which it may go. A paused
-- number's backlog and what waits for its time are never walked through.
CREATE INDEX messages_queues ON messages (priority, number_id, shard, (coalesce(not_before, '-infinity'::timestamptz)), created_at)
    WHERE state = 'queued';
DROP INDEX messages_lanes;

-- The shard from `own` on (and round) that has something to claim in a lane of a number which may not send `held`.
CREATE FUNCTION nearest_due_shard(lane smallint, number uuid, own int, held text[]) RETURNS smallint
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    low int;
    high int;
    at_shard smallint;
BEGIN
    FOR low, high IN VALUES (own, 63), (0, own - 1) LOOP
        LOOP
            SELECT m.shard INTO at_shard FROM messages m
            WHERE m.state = 'queued' AND m.priority = lane AND m.number_id = number AND m.shard BETWEEN low AND high
            ORDER BY m.shard LIMIT 1;
            EXIT WHEN NOT FOUND;
            IF EXISTS (
                SELECT FROM outbox_due d
                WHERE d.priority = lane AND d.number_id = number AND d.shard = at_shard
                    AND CASE WHEN d.category = ANY (held) THEN false ELSE true END
            ) THEN
                RETURN at_shard;
            END IF;
            low := at_shard + 1;
        END LOOP;
    END LOOP;
    RETURN NULL;
END
$$;

-- Where something could be claimed now: the sweep rings for these shards. Only the first queues that have something are
-- looked at: a run over one shard helps the others out, so that to ring some of them is enough.
CREATE OR REPLACE VIEW outbox_ready AS
WITH RECURSIVE queue AS (
    (
        SELECT priority, number_id, shard FROM messages WHERE state = 'queued' AND number_id IS NOT NULL
        ORDER BY priority, number_id, shard LIMIT 1
    )
    UNION ALL
    SELECT next.priority, next.number_id, next.shard FROM queue CROSS JOIN LATERAL (
        SELECT m.priority, m.number_id, m.shard FROM messages m
        WHERE m.state = 'queued' AND m.number_id IS NOT NULL
            AND (m.priority, m.number_id, m.shard) > (queue.priority, queue.number_id, queue.shard)
        ORDER BY m.priority, m.number_id, m.shard LIMIT 1
    ) AS next
)
SELECT queue.shard, queue.number_id FROM queue CROSS JOIN LATERAL (
    SELECT n.held_categories FROM sending_numbers n WHERE n.id = queue.number_id
) AS number
WHERE lane_may_go(queue.priority, number.held_categories) AND EXISTS (
    SELECT FROM outbox_due d
    WHERE d.priority = queue.priority AND d.shard = queue.shard AND d.number_id = queue.number_id
        AND CASE WHEN d.category = ANY (number.held_categories) THEN false ELSE true END
)
LIMIT 200;
