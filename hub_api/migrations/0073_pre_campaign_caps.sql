-- A cap is about how much advertising a person gets: what a campaign sent in its earlier occurrences counts as that of any other,
-- or one that begins each day writes seven times a week under a cap of two. What the same run sent does not: the steps of a
-- journey belong together, and another try of a failed message is none more.
SET lock_timeout = '5s';

-- As campaign_exclusions of migration 0066, which a hub of the version before still asks. `of_run` null: a run that is still to come.
CREATE FUNCTION campaign_exclusions_of(ids uuid[], of_run uuid, of_lane text, most int, days int)
RETURNS TABLE (customer_id uuid, state_code text, reason text)
LANGUAGE sql STABLE
SET plan_cache_mode = 'force_custom_plan'
AS $$
    SELECT c.id, c.state_code, CASE
        WHEN c.status IN ('merged', 'erased', 'blocked') THEN 'gone'
        WHEN c.phone IS NULL AND NOT EXISTS (
            SELECT FROM customer_identities i WHERE i.customer_id = c.id AND i.valid_to IS NULL
        ) THEN 'unreachable'
        -- As the claim judges it (whatsapp/send/decide.py): three undeliverable in a row within 30 days, and no word since.
        WHEN of_lane = 'marketing' AND jsonb_array_length(coalesce(c.metadata -> 'whatsapp_strikes', '[]')) >= 3 AND (
            SELECT min(s::float8) > extract(epoch FROM now() - interval '30 days')
                AND NOT coalesce(to_timestamp(max(s::float8)) < (
                    SELECT max(v.last_customer_message_at) FROM conversations v WHERE v.customer_id = c.id
                ), false)
            FROM jsonb_array_elements_text(c.metadata -> 'whatsapp_strikes') AS s
        ) THEN 'unreachable'
        WHEN EXISTS (
            SELECT FROM suppressions s
            WHERE s.customer_id = c.id AND s.scope IN (of_lane, 'all') AND (s.until IS NULL OR s.until > now())
        ) THEN 'suppressed'
        -- Advertising needs prior consent; a notice about the contract does not.
        WHEN of_lane = 'marketing' AND NOT coalesce((
            SELECT l.granted FROM consent_ledger l
            WHERE l.customer_id = c.id AND l.scope IN ('marketing', 'all') ORDER BY l.occurred_at DESC, l.id DESC LIMIT 1
        ), false) THEN 'no_consent'
        WHEN EXISTS (
            SELECT FROM conversations v WHERE v.customer_id = c.id AND v.state IN ('queued', 'assigned', 'waiting_customer')
        ) THEN 'open_conversation'
        WHEN most > 0 AND (
            SELECT count(*) FROM campaign_recipients r
            WHERE r.customer_id = c.id AND r.queued_at > now() - make_interval(days => days) AND r.run_id IS DISTINCT FROM of_run
                AND r.state IN ('queued', 'sent', 'unknown')
        ) >= most THEN 'frequency_cap'
    END
    FROM customers c WHERE c.id = ANY (ids)
$$;
