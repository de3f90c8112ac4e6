-- Written by `python -m assets.gold.kpi.render` from catalogue.yaml: change it there.
CREATE OR REPLACE VIEW gold.kpi_nps /*ON CLUSTER*/
(
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
SELECT
    day,
    hour,
    opened_at AS at,
    conversation_id,
    customer_id,
    queue,
    agent_id,
    number_id,
    channel,
    state_code,
    region,
    plan,
    cost_currency AS currency,
    toInt64(multiIf(nps >= 9, toInt64(100), nps <= 6, toInt64(-100), toInt64(0))) AS numerator,
    toInt64(1) AS denominator
FROM gold.conversation_facts
WHERE nps IS NOT NULL
COMMENT '100 × (respostas 9 e 10 − respostas 0 a 6) / respostas à pergunta de 0 a 10 "quanto você nos recomendaria?", a última de cada conversa (Reichheld, The One Number You Need to Grow, Harvard Business Review, 2003)';
