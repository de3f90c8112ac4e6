-- Written by `python -m assets.gold.kpi.render` from catalogue.yaml: change it there.
CREATE OR REPLACE VIEW gold.funnel_service /*ON CLUSTER*/
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
    opened UInt8 COMMENT '1 when the case has come this far: Abertas',
    customer_wrote UInt8 COMMENT '1 when the case has come this far: O cliente escreveu',
    answered UInt8 COMMENT '1 when the case has come this far: Respondidas',
    resolved UInt8 COMMENT '1 when the case has come this far: Resolvidas',
    rated UInt8 COMMENT '1 when the case has come this far: Avaliadas'
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
    toUInt8((1)) AS opened,
    toUInt8((1) AND (messages_in > 0)) AS customer_wrote,
    toUInt8((1) AND (messages_in > 0) AND (first_answer_at IS NOT NULL)) AS answered,
    toUInt8((1) AND (messages_in > 0) AND (first_answer_at IS NOT NULL) AND (is_resolved)) AS resolved,
    toUInt8((1) AND (messages_in > 0) AND (first_answer_at IS NOT NULL) AND (is_resolved) AND (satisfaction IS NOT NULL)) AS rated
FROM gold.conversation_facts
COMMENT 'Funil: Atendimento';
