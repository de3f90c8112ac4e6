-- What messages cost, and the time in which they cost nothing.
SET lock_timeout = '5s';

-- In which money and by whose clock Meta bills the account: the free replies of a month begin again at 0 h of its zone.
ALTER TABLE whatsapp_accounts
    ADD COLUMN currency text NOT NULL DEFAULT 'BRL' CHECK (currency ~ '^[A-Z]{3}$'),
    ADD COLUMN timezone text NOT NULL DEFAULT 'America/Sao_Paulo';

-- Payload time of the latest message that came from an ad; what is old needs no look at the messages themselves.
ALTER TABLE conversations ADD COLUMN last_ad_at timestamptz;

-- What we expected when Meta accepted the message; what Meta says of it is in `pricing`, with the rate of its category.
ALTER TABLE messages ADD COLUMN estimated_micros bigint, ADD COLUMN estimated_currency text;
ALTER TABLE messages ADD CONSTRAINT messages_estimate
    CHECK ((estimated_micros IS NULL) = (estimated_currency IS NULL) AND estimated_micros >= 0) NOT VALID;

-- A number's free replies: a thousand rows a month, counted at every estimate.
CREATE INDEX messages_free_service ON messages (number_id, coalesce(delivered_at, read_at))
    WHERE pricing ->> 'type' = 'free_customer_service';

-- What a delivered message with this `pricing` costs, in millionths of pricing.currency; null: not told, or no rate known.
-- chat/charges.py says the same in Python; a test compares them.
CREATE FUNCTION charged_micros(pricing jsonb) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT CASE
        WHEN pricing ->> 'type' IN ('free_customer_service', 'free_entry_point', 'free_group_customer_service') THEN 0
        WHEN pricing ->> 'type' IS NOT NULL OR pricing ->> 'billable' = 'true' THEN (pricing ->> 'rate_micros')::bigint
        WHEN pricing ->> 'billable' = 'false' THEN 0
    END
$$;

-- When the customer came to a number from an ad, and when we answered, within the 24 + 72 h in which it can matter:
-- what chat/windows.py decides the free entry by. Null without a recent ad.
CREATE FUNCTION ad_arrivals(customer uuid, number uuid) RETURNS timestamptz[]
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT array_agg(m.created_at)
    FROM conversations v JOIN messages m ON m.conversation_id = v.id
    WHERE v.customer_id = customer AND v.number_id = number AND v.last_ad_at > now() - interval '96 hours'
        AND m.created_at > now() - interval '96 hours' AND m.direction = 'in' AND m.payload ? 'referral'
$$;

CREATE FUNCTION ad_answers(customer uuid, number uuid) RETURNS timestamptz[]
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT array_agg(coalesce(m.sent_at, m.accepted_at))
    FROM conversations v JOIN messages m ON m.conversation_id = v.id
    WHERE v.customer_id = customer AND v.number_id = number AND v.last_ad_at > now() - interval '96 hours'
        AND m.created_at > now() - interval '97 hours' AND m.direction = 'out'
        AND coalesce(m.sent_at, m.accepted_at) IS NOT NULL
$$;

-- How Meta bills a number. `volume_tiers`: the lower bound of this month's volume tier, as Meta told it to any account of
-- the portfolio, by "<region>/<category>".
CREATE VIEW number_billing AS
SELECT n.id AS number_id, n.phone_number_id, a.id AS account_id, a.currency, a.timezone,
    date_trunc('month', now() AT TIME ZONE a.timezone) AT TIME ZONE a.timezone AS month_began,
    (
        SELECT jsonb_object_agg(told.key, told.above) FROM (
            SELECT DISTINCT ON (1)
                (u.value #>> '{volume_tier_info,region}') || '/' || lower(u.value #>> '{volume_tier_info,pricing_category}') AS key,
                split_part(u.value #>> '{volume_tier_info,tier}', ':', 1)::bigint AS above
            FROM channel_update u JOIN whatsapp_accounts other ON other.waba_id = u.waba_id
            WHERE u.field = 'account_update' AND u.created_at > now() - interval '40 days'
                AND other.portfolio_id = a.portfolio_id
                AND u.value ->> 'event' = 'VOLUME_BASED_PRICING_TIER_UPDATE'
                AND u.value #>> '{volume_tier_info,effective_month}' = to_char(now() AT TIME ZONE a.timezone, 'YYYY-MM')
                AND u.value #>> '{volume_tier_info,tier}' ~ '^[0-9]{1,15}:'
            ORDER BY 1, u.created_at DESC
        ) AS told WHERE told.key IS NOT NULL
    ) AS volume_tiers
FROM whatsapp_numbers n JOIN whatsapp_accounts a ON a.id = n.account_id;
