CREATE TABLE IF NOT EXISTS gold.number_health_hourly /*ON CLUSTER*/
(
    day Date COMMENT 'Business day (HUB_TIMEZONE) of the hour',
    hour DateTime('UTC') COMMENT 'Start of the hour in which messages were queued or written, UTC; hours begin as they do in HUB_TIMEZONE',
    number_id UUID COMMENT 'Our WhatsApp number; zeros when the message never had one',
    category LowCardinality(String) COMMENT 'service, utility, marketing or authentication; empty for inbound ones and those of the phone app',
    messages_in UInt32 COMMENT 'Customers'' messages, count',
    messages_out UInt32 COMMENT 'Our messages, whatever became of them, count',
    accepted UInt32 COMMENT 'Of those, taken by the channel, count',
    delivered UInt32 COMMENT 'Of those, delivered, read or played, count',
    read UInt32 COMMENT 'Of those, read or played, count',
    replied UInt32 COMMENT 'Of those delivered, followed by a message of the customer within 24 h, count',
    failed UInt32 COMMENT 'Of those, failed, count',
    refused_by_user UInt32 COMMENT 'Of the failed, with error 131026 or 131050: unreachable, blocked or marketing stopped, count',
    people UInt32 COMMENT 'People written to, count within the hour',
    cost_micros Int64 COMMENT 'Prices of the delivered ones, millionths of currency',
    currency LowCardinality(String) COMMENT 'ISO 4217 code of cost_micros; empty when no price was told'
)
ENGINE = /*Replicated*/MergeTree
PARTITION BY day
ORDER BY (hour, number_id, category, currency)
COMMENT 'Traffic and fate of messages by hour, number and category';
