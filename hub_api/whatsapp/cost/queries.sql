-- What messages cost: for estimates, and summed for people.

-- name: billing  -- $1 numbers, $2 those of them whose free replies are asked for, $3 most free replies of a month -> how each is billed, service_used (0 when not asked for)
SELECT b.number_id, b.currency, b.timezone, b.volume_tiers, used.count AS service_used
FROM number_billing b CROSS JOIN LATERAL (
    SELECT count(*) FROM (
        SELECT FROM messages m
        WHERE b.number_id = ANY ($2::uuid[]) AND m.number_id = b.number_id
            AND m.pricing ->> 'type' = 'free_customer_service'
            AND coalesce(m.delivered_at, m.read_at) >= b.month_began
            AND m.created_at >= b.month_began - interval '31 days'
        LIMIT $3
    ) AS free
) AS used
WHERE b.number_id = ANY ($1::uuid[]);

-- name: ad_entries  -- $1 conversations -> id, arrivals, answers of those whose customer came from an ad lately
SELECT c.id, ad_arrivals(c.customer_id, c.number_id) AS arrivals, ad_answers(c.customer_id, c.number_id) AS answers
FROM conversations c
WHERE c.id = ANY ($1::uuid[]) AND EXISTS (
    SELECT FROM conversations v
    WHERE v.customer_id = c.customer_id AND v.number_id = c.number_id AND v.last_ad_at > now() - interval '96 hours'
);

-- name: costs  -- $1 first day, $2 day after the last, $3 number or null -> one row per day (of the account's zone), number, category, currency
-- A message counts on the day on which Meta accepted it; one whose acceptance was never recorded (a send in doubt that a
-- status resolved), on that of its first status. Estimates are of what Meta accepted, charges of what was delivered.
SELECT (taken.at AT TIME ZONE b.timezone)::date AS day, m.number_id, b.phone_number_id,
    coalesce(m.category, 'service') AS category,
    coalesce(m.pricing ->> 'currency', m.estimated_currency) AS currency,
    count(*) AS accepted,
    count(*) FILTER (WHERE m.state IN ('delivered', 'read', 'played')) AS delivered,
    count(*) FILTER (WHERE m.state IN ('delivered', 'read', 'played') AND charged_micros(m.pricing) > 0) AS charged,
    count(*) FILTER (WHERE m.state IN ('delivered', 'read', 'played') AND charged_micros(m.pricing) IS NULL) AS untold,
    coalesce(sum(m.estimated_micros), 0)::bigint AS estimated_micros,
    coalesce(sum(m.estimated_micros) FILTER (WHERE m.state IN ('delivered', 'read', 'played')), 0)::bigint
        AS estimated_delivered_micros,
    coalesce(sum(charged_micros(m.pricing)) FILTER (WHERE m.state IN ('delivered', 'read', 'played')), 0)::bigint
        AS actual_micros
FROM messages m JOIN number_billing b ON b.number_id = m.number_id
CROSS JOIN LATERAL (SELECT coalesce(m.accepted_at, m.sent_at, m.delivered_at, m.read_at) AS at) AS taken
WHERE m.direction = 'out'
    AND m.created_at >= $1::date - interval '32 days' AND m.created_at < $2::date + interval '1 day'
    AND taken.at >= $1::date::timestamp AT TIME ZONE b.timezone
    AND taken.at < $2::date::timestamp AT TIME ZONE b.timezone
    AND ($3::uuid IS NULL OR m.number_id = $3)
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1, 3, 4, 5;

-- name: set_billing  -- $1 account, $2 currency, $3 timezone -> id; no row: no such account
UPDATE whatsapp_accounts SET currency = $2, timezone = $3 WHERE id = $1 RETURNING id;

-- name: learn_billing  -- $1 account, $2 currency or null, $3 timezone or null: as Meta says; null leaves what is there
UPDATE whatsapp_accounts SET currency = coalesce($2, currency), timezone = coalesce($3, timezone)
WHERE id = $1 AND (currency, timezone) IS DISTINCT FROM (coalesce($2, currency), coalesce($3, timezone));
