-- Search in messages as one call: it walked the months from outside, a statement and a way there and back for each, and after
-- five of those PostgreSQL planned them once for all words. Such a plan takes every word for a rare one, reads all that have a
-- frequent one and sorts them; a plan made for the words walks the newest month backwards and stops.
SET lock_timeout = '5s';

CREATE FUNCTION search_messages(teams uuid[], caller uuid, words text, before timestamptz, most int)
RETURNS TABLE (
    id uuid, created_at timestamptz, conversation_id uuid, customer_id uuid, direction text, author text, type text, content text
)
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
    -- Both dictionaries of search_vector(): stems (with accents) find word forms; simple tokens (without) find names, codes,
    -- protocol numbers and what was typed without accents. As one query they are one walk through the index.
    wanted tsquery := websearch_to_tsquery('pg_catalog.portuguese', words)
        || websearch_to_tsquery('pg_catalog.simple', public.immutable_unaccent(words));
    month timestamptz;
    missing int := most;
    got int;
BEGIN
    FOR month IN
        SELECT to_date(right(inhrelid::regclass::text, 6), 'YYYYMM')::timestamp AT TIME ZONE 'UTC' AS first
        FROM pg_inherits WHERE inhparent = 'messages'::regclass AND inhrelid::regclass::text ~ '_[0-9]{6}$'
        ORDER BY first DESC
    LOOP
        CONTINUE WHEN month >= before;
        RETURN QUERY
        SELECT m.id, m.created_at, m.conversation_id, m.customer_id, m.direction, m.author, m.type, m.content
        FROM messages m
        WHERE m.created_at >= month
            AND m.created_at < least((month AT TIME ZONE 'UTC' + interval '1 month') AT TIME ZONE 'UTC', before)
            AND m.revoked_at IS NULL  -- what the customer deleted is not found again
            AND m.search @@ wanted
            AND (teams IS NULL OR EXISTS (
                SELECT FROM conversations c LEFT JOIN queues q ON q.id = c.queue_id
                WHERE c.id = m.conversation_id AND sees(teams, caller, q.team_id, c.agent_id)
            ))
        ORDER BY m.created_at DESC LIMIT missing;
        GET DIAGNOSTICS got = ROW_COUNT;
        missing := missing - got;
        EXIT WHEN missing <= 0;
    END LOOP;
END
$$;
