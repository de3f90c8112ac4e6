-- Written by `python -m assets.gold.kpi.render` from catalogue.yaml: change it there.
CREATE OR REPLACE VIEW gold.funnel_outbound /*ON CLUSTER*/
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
    queued UInt8 COMMENT '1 when the case has come this far: Criadas',
    accepted UInt8 COMMENT '1 when the case has come this far: Aceitas',
    delivered UInt8 COMMENT '1 when the case has come this far: Entregues',
    read UInt8 COMMENT '1 when the case has come this far: Lidas',
    replied UInt8 COMMENT '1 when the case has come this far: Respondidas'
)
AS
SELECT
    day,
    hour,
    sent_at AS at,
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
    toUInt8((1)) AS queued,
    toUInt8((1) AND (is_accepted)) AS accepted,
    toUInt8((1) AND (is_accepted) AND (is_delivered)) AS delivered,
    toUInt8((1) AND (is_accepted) AND (is_delivered) AND (is_read)) AS read,
    toUInt8((1) AND (is_accepted) AND (is_delivered) AND (is_read) AND (reply_seconds IS NOT NULL)) AS replied
FROM gold.message_facts
WHERE direction = 'out' AND category IN ('marketing', 'utility')
COMMENT 'Funil: Mensagens enviadas';
