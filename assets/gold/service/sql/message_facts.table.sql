CREATE TABLE IF NOT EXISTS gold.message_facts /*ON CLUSTER*/
(
    day Date COMMENT 'Business day (HUB_TIMEZONE) of sent_at',
    hour DateTime('UTC') COMMENT 'Hour of sent_at, UTC; hours begin as they do in HUB_TIMEZONE',
    message_id UUID COMMENT 'Message; each once',
    conversation_id UUID COMMENT 'Its conversation; zeros when none',
    customer_id UUID COMMENT 'Its customer',
    number_id Nullable(UUID) COMMENT 'Our WhatsApp number',
    direction LowCardinality(String) COMMENT 'in: from the customer; out: from us',
    author LowCardinality(String) COMMENT 'customer, bot, agent, campaign, system or phone_app',
    agent_id Nullable(UUID) COMMENT 'The agent who wrote it',
    queue LowCardinality(String) COMMENT 'Queue of the conversation at that moment; empty for the bot',
    channel LowCardinality(String) COMMENT 'Channel of the conversation',
    state_code LowCardinality(String) COMMENT 'Federative unit (UF) as in conversation_facts',
    region LowCardinality(String) COMMENT 'Region (IBGE) of state_code',
    plan LowCardinality(String) COMMENT 'Plan as in conversation_facts',
    type LowCardinality(String) COMMENT 'text, image, interactive, template and so on',
    category LowCardinality(String) COMMENT 'service, utility, marketing or authentication; empty for inbound ones',
    template LowCardinality(String) COMMENT 'Template; empty without one',
    sent_at DateTime64(6, 'UTC') COMMENT 'Inbound: when the customer wrote; outbound: when it was queued, UTC',
    state LowCardinality(String) COMMENT 'Newest state by version',
    counts Bool COMMENT 'Everything but outbound messages that failed or were cancelled',
    is_accepted Bool COMMENT 'The channel took it',
    is_delivered Bool COMMENT 'Delivered, read or played',
    is_read Bool COMMENT 'Read or played',
    is_failed Bool COMMENT 'It failed and was not delivered after all',
    is_refused_by_user Bool COMMENT 'It failed with 131026 (not reachable: no WhatsApp or we are blocked, the channel does not say which) or 131050 (the person stopped marketing)',
    reply_seconds Nullable(Float64) COMMENT 'From one of ours to the customer''s next message in the conversation, at most 24 h, seconds; NULL without one',
    error_code Nullable(Int32) COMMENT 'Newest error of the channel',
    cost_micros Int64 COMMENT 'Price when delivered, millionths of cost_currency; 0 when free or not told',
    cost_currency LowCardinality(String) COMMENT 'ISO 4217 code of cost_micros; empty when not told'
)
ENGINE = /*Replicated*/MergeTree
PARTITION BY toMonday(day)
ORDER BY (day, hour, queue, conversation_id, message_id)
COMMENT 'One row per message, without its words: what became of it, where and for whom';
