-- Search in messages with what narrows it: who wrote, since when, in which queue's conversations. As the function of 0057, which
-- stays for processes that still run.
SET lock_timeout = '5s';

CREATE FUNCTION search_messages(
    teams uuid[], caller uuid, words text, before timestamptz, most int, since timestamptz, only_author text, only_queue text
)
RETURNS TABLE (
    id uuid, created_at timestamptz, conversation_id uuid, customer_id uuid, direction text, author text, type text, content text
)
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
    wanted tsquery := websearch_to_tsquery('pg_catalog.portuguese', words)
        || websearch_to_tsquery('pg_catalog.simple', public.immutable_unaccent(words));
    month timestamptz;
    month_after timestamptz;
    missing int := most;
    got int;
BEGIN
    FOR month IN
        SELECT to_date(right(inhrelid::regclass::text, 6), 'YYYYMM')::timestamp AT TIME ZONE 'UTC' AS first
        FROM pg_inherits WHERE inhparent = 'messages'::regclass AND inhrelid::regclass::text ~ '_[0-9]{6}$'
        ORDER BY first DESC
    LOOP
        month_after := (month AT TIME ZONE 'UTC' + interval '1 month') AT TIME ZONE 'UTC';
        CONTINUE WHEN month >= before;
        EXIT WHEN month_after <= since;
        RETURN QUERY
        SELECT m.id, m.created_at, m.conversation_id, m.customer_id, m.direction, m.author, m.type, m.content
        FROM messages m
        WHERE m.created_at >= greatest(month, since)
            AND m.created_at < least(month_after, before)
            AND m.revoked_at IS NULL  -- what the customer deleted is not found again
            AND m.search @@ wanted
            AND (only_author IS NULL OR m.author = only_author)
            AND ((teams IS NULL AND only_queue IS NULL) OR EXISTS (
                SELECT FROM conversations c LEFT JOIN queues q ON q.id = c.queue_id
                WHERE c.id = m.conversation_id AND (only_queue IS NULL OR q.key = only_queue)
                    AND (teams IS NULL OR sees(teams, caller, q.team_id, c.agent_id))
            ))
        ORDER BY m.created_at DESC LIMIT missing;
        GET DIAGNOSTICS got = ROW_COUNT;
        missing := missing - got;
        EXIT WHEN missing <= 0;
    END LOOP;
END
$$;
