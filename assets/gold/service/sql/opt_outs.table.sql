CREATE TABLE IF NOT EXISTS gold.opt_outs /*ON CLUSTER*/
(
    day Date COMMENT 'Business day (HUB_TIMEZONE) of the opt-out',
    hour DateTime('UTC') COMMENT 'Its hour, UTC; hours begin as they do in HUB_TIMEZONE',
    at DateTime64(6, 'UTC') COMMENT 'When the person opted out, UTC',
    event_id UUID COMMENT 'Event of the consent ledger; each once',
    customer_id UUID COMMENT 'Who opted out',
    scope LowCardinality(String) COMMENT 'marketing, utility or all',
    source LowCardinality(String) COMMENT 'Where it was said: keyword, channel, console and so on',
    conversation_id UUID COMMENT 'Conversation of our last message to the person in the 7 days before; zeros when there was none',
    sent_at DateTime64(6, 'UTC') COMMENT 'When that message was queued, UTC; 1970-01-01 when there was none',
    number_id Nullable(UUID) COMMENT 'Number of that message',
    queue LowCardinality(String) COMMENT 'Queue of that message''s conversation then',
    template LowCardinality(String) COMMENT 'Template of that message',
    channel LowCardinality(String) COMMENT 'Channel of that conversation',
    state_code LowCardinality(String) COMMENT 'Federative unit (UF) as in conversation_facts',
    region LowCardinality(String) COMMENT 'Region (IBGE) of state_code',
    plan LowCardinality(String) COMMENT 'Plan as in conversation_facts'
)
ENGINE = /*Replicated*/MergeTree
PARTITION BY toMonday(day)
ORDER BY (day, hour, event_id)
COMMENT 'One row per opt-out, beside the message that came before it';
