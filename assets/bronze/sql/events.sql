-- days, first, last: the business days; timezone: their zone; batch: the newest relay batch to read. A day's events have one event_time, so copies of an event
-- (a batch repaired or relayed again) meet in one day.
SELECT
    toDate(event_time, {timezone:String}) AS day,
    event_time,
    id,
    type,
    aggregate_type,
    aggregate_id,
    aggregate_version,
    conversation_id,
    if(aggregate_type = 'customer', aggregate_id, fields.customer_id) AS customer_id,
    fields.number_id AS number_id,
    occurred_at,
    recorded_at,
    fields.from_state AS from_state,
    if(type = 'conversation.opened', fields.state, fields.to_state) AS to_state,
    fields.reason AS reason,
    fields.queue AS queue,
    fields.agent_id AS agent_id,
    fields.protocol AS protocol,
    fields.channel AS channel,
    fields.priority AS priority,
    fields.previous_id AS previous_id,
    fields.satisfaction AS satisfaction,
    fields.score AS score,
    fields.message_type AS message_type,
    fields.content AS content,
    fields.author AS author,
    fields.author_id AS author_id,
    fields.category AS category,
    fields.template AS template,
    fields.stale AS stale,
    parseDateTime64BestEffortOrNull(fields.received_at, 6, 'UTC') AS received_at,
    fields.error_code AS error_code,
    fields.pricing_category AS pricing_category,
    fields.pricing_type AS pricing_type,
    fields.cost_micros AS cost_micros,
    fields.cost_currency AS cost_currency,
    fields.emoji AS emoji,
    fields.scope AS scope,
    fields.granted AS granted,
    fields.source AS source,
    fields.state_code AS state_code,
    fields.kind AS kind,
    fields.external_id AS external_id,
    fields.status AS status,
    fields.plan AS plan,
    fields.into AS merged_into,
    fields.campaign_id AS campaign_id,
    if(type = 'experiment.planned', aggregate_id, fields.experiment_id) AS experiment_id,
    fields.experiment AS experiment,
    fields.variant AS variant,
    fields.value_micros AS value_micros,
    fields.value_currency AS value_currency,
    experiment_plan,
    fields.message_id AS clicked_message_id,
    label
FROM
(
    SELECT
        event_time, id, type, aggregate_type, aggregate_id, aggregate_version, conversation_id, occurred_at, recorded_at,
        if(type = 'experiment.planned', payload, '') AS experiment_plan,
        if(type = 'message.labelled', payload, '') AS label,
        JSONExtract(payload, 'Tuple(
            customer_id Nullable(UUID), number_id Nullable(UUID), from_state String, to_state String, state String,
            reason String, queue String, agent_id Nullable(UUID), protocol String, channel String,
            priority Nullable(UInt8), previous_id Nullable(UUID), satisfaction Nullable(UInt8), score Nullable(UInt8),
            message_type String, content Nullable(String), author String, author_id Nullable(UUID), category String, template String,
            stale Bool, received_at String, error_code Nullable(Int32), pricing_category String, pricing_type String,
            cost_micros Nullable(Int64), cost_currency String,
            emoji Nullable(String), scope String, granted Nullable(Bool), source String, state_code String, kind String,
            external_id String, status String, plan String, into Nullable(UUID),
            campaign_id Nullable(UUID), experiment_id Nullable(UUID), experiment String, variant String,
            value_micros Nullable(Int64), value_currency String, message_id Nullable(UUID))') AS fields
    FROM raw.events
    WHERE batch <= {batch:UInt64}
        AND event_time >= toDateTime({first:Date}, {timezone:String})
        AND event_time < toDateTime(addDays({last:Date}, 1), {timezone:String})
        AND toDate(event_time, {timezone:String}) IN {days:Array(Date)}
    ORDER BY toDate(event_time)  -- as the table lies: a stream, not a sort
    LIMIT 1 BY id
)
