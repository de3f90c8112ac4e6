-- Written by `python -m assets.gold.kpi.render` from catalogue.yaml: change it there.
CREATE OR REPLACE VIEW gold.kpis_cases /*ON CLUSTER*/
(
    kpi String COMMENT 'Key of the figure in the catalogue',
    scale Float64 COMMENT 'Factor of the figure: scale * sum(numerator) / sum(denominator)',
    day Date COMMENT 'Business day (HUB_TIMEZONE) to which the case counts',
    hour DateTime('UTC') COMMENT 'Hour to which it counts, UTC; hours begin as they do in HUB_TIMEZONE',
    at DateTime64(6, 'UTC') COMMENT 'When the case began, UTC',
    conversation_id UUID COMMENT 'Conversation of the case; zeros for cases that belong to none',
    customer_id UUID COMMENT 'Its customer; zeros for cases that belong to none',
    queue LowCardinality(String) COMMENT 'Queue; empty for the bot',
    agent_id Nullable(UUID) COMMENT 'Agent',
    number_id Nullable(UUID) COMMENT 'Our WhatsApp number',
    channel LowCardinality(String) COMMENT 'Channel',
    state_code LowCardinality(String) COMMENT 'Federative unit (UF) of the customer; empty when unknown',
    region LowCardinality(String) COMMENT 'Region (IBGE) of state_code; empty when unknown',
    plan LowCardinality(String) COMMENT 'Plan of the customer; empty when unknown',
    currency LowCardinality(String) COMMENT 'ISO 4217 code of an amount; empty when it is none',
    numerator Int64 COMMENT 'What the figure sums: count, microseconds or millionths',
    denominator Int64 COMMENT 'What it is divided by: count or microseconds'
)
AS
SELECT 'first_response_time' AS kpi, toFloat64(1e-06) AS scale, day, hour, at, conversation_id, customer_id, queue, agent_id, number_id, channel, state_code, region, plan, currency, numerator, denominator FROM gold.kpi_first_response_time
UNION ALL
SELECT 'first_response_business_time' AS kpi, toFloat64(1e-06) AS scale, day, hour, at, conversation_id, customer_id, queue, agent_id, number_id, channel, state_code, region, plan, currency, numerator, denominator FROM gold.kpi_first_response_business_time
UNION ALL
SELECT 'first_answer_time' AS kpi, toFloat64(1e-06) AS scale, day, hour, at, conversation_id, customer_id, queue, agent_id, number_id, channel, state_code, region, plan, currency, numerator, denominator FROM gold.kpi_first_answer_time
UNION ALL
SELECT 'wait_time' AS kpi, toFloat64(1e-06) AS scale, day, hour, at, conversation_id, customer_id, queue, agent_id, number_id, channel, state_code, region, plan, currency, numerator, denominator FROM gold.kpi_wait_time
UNION ALL
SELECT 'wait_business_time' AS kpi, toFloat64(1e-06) AS scale, day, hour, at, conversation_id, customer_id, queue, agent_id, number_id, channel, state_code, region, plan, currency, numerator, denominator FROM gold.kpi_wait_business_time
UNION ALL
SELECT 'handling_time' AS kpi, toFloat64(1e-06) AS scale, day, hour, at, conversation_id, customer_id, queue, agent_id, number_id, channel, state_code, region, plan, currency, numerator, denominator FROM gold.kpi_handling_time
UNION ALL
SELECT 'handling_business_time' AS kpi, toFloat64(1e-06) AS scale, day, hour, at, conversation_id, customer_id, queue, agent_id, number_id, channel, state_code, region, plan, currency, numerator, denominator FROM gold.kpi_handling_business_time
UNION ALL
SELECT 'resolution_time' AS kpi, toFloat64(1e-06) AS scale, day, hour, at, conversation_id, customer_id, queue, agent_id, number_id, channel, state_code, region, plan, currency, numerator, denominator FROM gold.kpi_resolution_time
UNION ALL
SELECT 'resolution_business_time' AS kpi, toFloat64(1e-06) AS scale, day, hour, at, conversation_id, customer_id, queue, agent_id, number_id, channel, state_code, region, plan, currency, numerator, denominator FROM gold.kpi_resolution_business_time
UNION ALL
SELECT 'conversations' AS kpi, toFloat64(1) AS scale, day, hour, at, conversation_id, customer_id, queue, agent_id, number_id, channel, state_code, region, plan, currency, numerator, denominator FROM gold.kpi_conversations
UNION ALL
SELECT 'resolution_rate' AS kpi, toFloat64(1) AS scale, day, hour, at, conversation_id, customer_id, queue, agent_id, number_id, channel, state_code, region, plan, currency, numerator, denominator FROM gold.kpi_resolution_rate
UNION ALL
SELECT 'first_contact_resolution' AS kpi, toFloat64(1) AS scale, day, hour, at, conversation_id, customer_id, queue, agent_id, number_id, channel, state_code, region, plan, currency, numerator, denominator FROM gold.kpi_first_contact_resolution
UNION ALL
SELECT 'reopen_rate' AS kpi, toFloat64(1) AS scale, day, hour, at, conversation_id, customer_id, queue, agent_id, number_id, channel, state_code, region, plan, currency, numerator, denominator FROM gold.kpi_reopen_rate
UNION ALL
SELECT 'abandonment_rate' AS kpi, toFloat64(1) AS scale, day, hour, at, conversation_id, customer_id, queue, agent_id, number_id, channel, state_code, region, plan, currency, numerator, denominator FROM gold.kpi_abandonment_rate
UNION ALL
SELECT 'csat' AS kpi, toFloat64(1) AS scale, day, hour, at, conversation_id, customer_id, queue, agent_id, number_id, channel, state_code, region, plan, currency, numerator, denominator FROM gold.kpi_csat
UNION ALL
SELECT 'nps' AS kpi, toFloat64(1) AS scale, day, hour, at, conversation_id, customer_id, queue, agent_id, number_id, channel, state_code, region, plan, currency, numerator, denominator FROM gold.kpi_nps
UNION ALL
SELECT 'sla_first_response' AS kpi, toFloat64(1) AS scale, day, hour, at, conversation_id, customer_id, queue, agent_id, number_id, channel, state_code, region, plan, currency, numerator, denominator FROM gold.kpi_sla_first_response
UNION ALL
SELECT 'sla_resolution' AS kpi, toFloat64(1) AS scale, day, hour, at, conversation_id, customer_id, queue, agent_id, number_id, channel, state_code, region, plan, currency, numerator, denominator FROM gold.kpi_sla_resolution
UNION ALL
SELECT 'bot_containment' AS kpi, toFloat64(1) AS scale, day, hour, at, conversation_id, customer_id, queue, agent_id, number_id, channel, state_code, region, plan, currency, numerator, denominator FROM gold.kpi_bot_containment
UNION ALL
SELECT 'transfers' AS kpi, toFloat64(1) AS scale, day, hour, at, conversation_id, customer_id, queue, agent_id, number_id, channel, state_code, region, plan, currency, numerator, denominator FROM gold.kpi_transfers
UNION ALL
SELECT 'messages_per_resolved' AS kpi, toFloat64(1) AS scale, day, hour, at, conversation_id, customer_id, queue, agent_id, number_id, channel, state_code, region, plan, currency, numerator, denominator FROM gold.kpi_messages_per_resolved
UNION ALL
SELECT 'cost_per_resolved' AS kpi, toFloat64(1e-06) AS scale, day, hour, at, conversation_id, customer_id, queue, agent_id, number_id, channel, state_code, region, plan, currency, numerator, denominator FROM gold.kpi_cost_per_resolved
UNION ALL
SELECT 'backlog' AS kpi, toFloat64(1) AS scale, day, hour, at, conversation_id, customer_id, queue, agent_id, number_id, channel, state_code, region, plan, currency, numerator, denominator FROM gold.kpi_backlog
UNION ALL
SELECT 'occupancy' AS kpi, toFloat64(1) AS scale, day, hour, at, conversation_id, customer_id, queue, agent_id, number_id, channel, state_code, region, plan, currency, numerator, denominator FROM gold.kpi_occupancy
UNION ALL
SELECT 'agent_efficiency' AS kpi, toFloat64(3600000000) AS scale, day, hour, at, conversation_id, customer_id, queue, agent_id, number_id, channel, state_code, region, plan, currency, numerator, denominator FROM gold.kpi_agent_efficiency
UNION ALL
SELECT 'messages' AS kpi, toFloat64(1) AS scale, day, hour, at, conversation_id, customer_id, queue, agent_id, number_id, channel, state_code, region, plan, currency, numerator, denominator FROM gold.kpi_messages
UNION ALL
SELECT 'delivery_rate' AS kpi, toFloat64(1) AS scale, day, hour, at, conversation_id, customer_id, queue, agent_id, number_id, channel, state_code, region, plan, currency, numerator, denominator FROM gold.kpi_delivery_rate
UNION ALL
SELECT 'read_rate' AS kpi, toFloat64(1) AS scale, day, hour, at, conversation_id, customer_id, queue, agent_id, number_id, channel, state_code, region, plan, currency, numerator, denominator FROM gold.kpi_read_rate
UNION ALL
SELECT 'reply_rate' AS kpi, toFloat64(1) AS scale, day, hour, at, conversation_id, customer_id, queue, agent_id, number_id, channel, state_code, region, plan, currency, numerator, denominator FROM gold.kpi_reply_rate
UNION ALL
SELECT 'block_rate' AS kpi, toFloat64(1) AS scale, day, hour, at, conversation_id, customer_id, queue, agent_id, number_id, channel, state_code, region, plan, currency, numerator, denominator FROM gold.kpi_block_rate
UNION ALL
SELECT 'opt_out_rate' AS kpi, toFloat64(1) AS scale, day, hour, at, conversation_id, customer_id, queue, agent_id, number_id, channel, state_code, region, plan, currency, numerator, denominator FROM gold.kpi_opt_out_rate
COMMENT 'All figures by name; filter by kpi';
