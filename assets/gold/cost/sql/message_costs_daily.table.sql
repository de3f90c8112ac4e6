CREATE TABLE IF NOT EXISTS gold.message_costs_daily /*ON CLUSTER*/
(
    day Date COMMENT 'Business day (HUB_TIMEZONE) on which the messages were queued',
    number_id UUID COMMENT 'Our WhatsApp number; zeros when the message never had one',
    category LowCardinality(String) COMMENT 'What we sent: service, utility, marketing or authentication',
    pricing_category LowCardinality(String) COMMENT 'Category that the channel bills; empty when it did not say',
    pricing_type LowCardinality(String) COMMENT 'regular, free_customer_service or free_entry_point; empty when it did not say',
    currency LowCardinality(String) COMMENT 'ISO 4217 code of cost_micros; empty when no price was told',
    messages UInt32 COMMENT 'Our messages that neither failed nor were cancelled, count',
    delivered UInt32 COMMENT 'Of all messages, those delivered, read or played, count',
    charged UInt32 COMMENT 'Of the delivered ones, those with a price above 0, count',
    untold UInt32 COMMENT 'Of the delivered ones, those without a price, count',
    cost_micros Int64 COMMENT 'Sum of the prices of the delivered ones, millionths of currency'
)
ENGINE = /*Replicated*/MergeTree
PARTITION BY toMonday(day)
ORDER BY (day, number_id, category, pricing_category, pricing_type, currency)
COMMENT 'What our messages cost by day, number and category: prices as the channel told them, of what was delivered';
