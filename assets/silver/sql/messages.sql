-- A message belongs to the day it was written; what happened to it later is folded by version, whatever day it came.
WITH created AS
(
    SELECT * FROM bronze.events
    WHERE day IN {days:Array(Date)} AND type IN ('message.received', 'message.queued', 'message.echoed')
)
SELECT
    created.day AS day,
    created.aggregate_id AS message_id,
    created.conversation_id AS conversation_id,
    assumeNotNull(created.customer_id) AS customer_id,
    created.number_id AS number_id,
    if(created.type = 'message.received', 'in', 'out') AS direction,
    multiIf(created.type = 'message.received', 'customer', created.type = 'message.echoed', 'phone_app', created.author) AS author,
    created.author_id AS author_id,
    created.message_type AS type,
    if(later.edited_at IS NULL, created.content, later.content) AS content,
    created.category AS category,
    created.template AS template,
    created.campaign_id AS campaign_id,
    created.variant AS variant,
    created.event_time AS sent_at,
    multiIf(
        created.type = 'message.received', 'received',
        created.type = 'message.echoed', 'echoed',
        later.state = '', 'queued',
        later.state) AS state,
    state NOT IN ('failed', 'cancelled') AS counts,
    later.accepted_at AS accepted_at,
    later.delivered_at AS delivered_at,
    later.read_at AS read_at,
    later.failed_at AS failed_at,
    later.error_code AS error_code,
    later.pricing_category AS pricing_category,
    later.pricing_type AS pricing_type,
    later.price_micros AS cost_micros,
    later.price_currency AS cost_currency,
    later.edited_at AS edited_at,
    later.revoked_at AS revoked_at,
    created.stale AS stale,
    greatest(created.aggregate_version, later.version) AS version
FROM created
LEFT JOIN
(
    SELECT
        aggregate_id,
        argMaxIf(to_state, aggregate_version, type = 'message.state_changed') AS state,
        minOrNullIf(event_time, to_state = 'accepted') AS accepted_at,
        minOrNullIf(event_time, to_state = 'delivered') AS delivered_at,
        minOrNullIf(event_time, to_state = 'read') AS read_at,
        maxOrNullIf(event_time, to_state = 'failed') AS failed_at,
        argMaxIf(error_code, aggregate_version, error_code IS NOT NULL) AS error_code,
        argMaxIf(pricing_category, aggregate_version, pricing_category != '') AS pricing_category,
        argMaxIf(pricing_type, aggregate_version, pricing_type != '') AS pricing_type,
        argMaxIf(cost_micros, aggregate_version, cost_micros IS NOT NULL) AS price_micros,
        argMaxIf(cost_currency, aggregate_version, cost_micros IS NOT NULL) AS price_currency,
        argMaxIf(tuple(content), aggregate_version, type = 'message.edited').1 AS content,
        maxOrNullIf(event_time, type = 'message.edited') AS edited_at,
        maxOrNullIf(event_time, type = 'message.revoked') AS revoked_at,
        max(aggregate_version) AS version
    FROM bronze.events
    WHERE type IN ('message.state_changed', 'message.priced', 'message.edited', 'message.revoked')
        AND conversation_id IN (SELECT conversation_id FROM created)
    GROUP BY aggregate_id
) AS later ON later.aggregate_id = created.aggregate_id
ORDER BY day, conversation_id
