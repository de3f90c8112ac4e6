CREATE TABLE IF NOT EXISTS silver.messages /*ON CLUSTER*/
(
    day Date COMMENT 'Business day (HUB_TIMEZONE) of sent_at',
    message_id UUID COMMENT 'Message; each once',
    conversation_id UUID COMMENT 'Its conversation',
    customer_id UUID COMMENT 'Its customer',
    number_id Nullable(UUID) COMMENT 'Our WhatsApp number',
    direction LowCardinality(String) COMMENT 'in: from the customer; out: from us',
    author LowCardinality(String) COMMENT 'customer, bot, agent, campaign, system or phone_app',
    author_id Nullable(UUID) COMMENT 'The agent who wrote it',
    type LowCardinality(String) COMMENT 'text, image, interactive, template and so on',
    content Nullable(String) COMMENT 'Words as last edited; personal data',
    category LowCardinality(String) COMMENT 'Category of an outbound message; empty for others',
    template LowCardinality(String) COMMENT 'Template of an outbound message; empty without one',
    campaign_id Nullable(UUID) COMMENT 'Campaign of an outbound message',
    variant LowCardinality(String) COMMENT 'Variant of its campaign''s test; empty without one',
    sent_at DateTime64(6, 'UTC') COMMENT 'Inbound: when the customer wrote; outbound: when it was queued, UTC',
    state LowCardinality(String) COMMENT 'received, echoed, or the newest state of an outbound message by version',
    counts Bool COMMENT 'Part of volumes and answers: everything but outbound messages that failed or were cancelled',
    accepted_at Nullable(DateTime64(6, 'UTC')) COMMENT 'When the channel took it, UTC',
    delivered_at Nullable(DateTime64(6, 'UTC')) COMMENT 'When it was delivered, UTC',
    read_at Nullable(DateTime64(6, 'UTC')) COMMENT 'When it was read, UTC',
    failed_at Nullable(DateTime64(6, 'UTC')) COMMENT 'When it failed last, UTC',
    error_code Nullable(Int32) COMMENT 'Newest error of the channel',
    pricing_category LowCardinality(String) COMMENT 'Category that the channel bills; empty when it did not say',
    pricing_type LowCardinality(String) COMMENT 'regular, free_customer_service or free_entry_point; empty when it did not say',
    cost_micros Nullable(Int64) COMMENT 'Last price told, millionths of cost_currency; 0: free; NULL: not told. Owed only when delivered',
    cost_currency LowCardinality(String) COMMENT 'ISO 4217 code of cost_micros; empty when not told',
    edited_at Nullable(DateTime64(6, 'UTC')) COMMENT 'When the customer edited it last, UTC',
    revoked_at Nullable(DateTime64(6, 'UTC')) COMMENT 'When the customer deleted it, UTC',
    stale Bool COMMENT 'It came too late to be answered by the bot',
    version Int64 COMMENT 'Newest version folded in'
)
ENGINE = /*Replicated*/MergeTree
PARTITION BY day
ORDER BY (conversation_id, sent_at, message_id)
COMMENT 'One row per message with what became of it';

-- Warehouses older than the columns get them; days built before say nothing of costs until they are built again.
ALTER TABLE silver.messages /*ON CLUSTER*/
    ADD COLUMN IF NOT EXISTS cost_micros Nullable(Int64) COMMENT 'Last price told, millionths of cost_currency; 0: free; NULL: not told. Owed only when delivered' AFTER pricing_type,
    ADD COLUMN IF NOT EXISTS cost_currency LowCardinality(String) COMMENT 'ISO 4217 code of cost_micros; empty when not told' AFTER cost_micros;

-- The same of campaigns.
ALTER TABLE silver.messages /*ON CLUSTER*/
    ADD COLUMN IF NOT EXISTS campaign_id Nullable(UUID) COMMENT 'Campaign of an outbound message' AFTER template,
    ADD COLUMN IF NOT EXISTS variant LowCardinality(String) COMMENT 'Variant of its campaign''s test; empty without one' AFTER campaign_id;
