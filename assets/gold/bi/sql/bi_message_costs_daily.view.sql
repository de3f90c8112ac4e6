-- What messages cost, for dashboards
CREATE OR REPLACE VIEW gold.bi_message_costs_daily /*ON CLUSTER*/
(
    day Date COMMENT 'Business day (HUB_TIMEZONE)',
    category LowCardinality(String) COMMENT 'What we sent',
    billed_category String COMMENT 'Category that the channel bills; what we sent where it did not say',
    pricing_type LowCardinality(String) COMMENT 'regular, free_customer_service, free_entry_point or empty',
    currency LowCardinality(String) COMMENT 'ISO 4217 code; empty when no price was told',
    messages UInt32 COMMENT 'Our messages, count',
    delivered UInt32 COMMENT 'Of those, delivered, count',
    charged UInt32 COMMENT 'Of those, with a price above 0, count',
    untold UInt32 COMMENT 'Of those, without a price, count',
    cost Float64 COMMENT 'Prices of the delivered ones, whole units of currency'
)
AS
SELECT
    day, category, if(pricing_category = '', category, pricing_category) AS billed_category, pricing_type, currency,
    messages, delivered, charged, untold, cost_micros / 1000000 AS cost
FROM gold.message_costs_daily
COMMENT 'What messages cost, for dashboards';
