-- Campaigns by day, variant and segment: how far messages came, what came of them, what they cost
CREATE OR REPLACE VIEW gold.bi_campaign_segments /*ON CLUSTER*/
(
    day Date COMMENT 'Business day (HUB_TIMEZONE) on which the steps happened',
    campaign String COMMENT 'Key of its experiment, else the first eight signs of its id',
    variant LowCardinality(String) COMMENT 'Variant of its test; empty without one',
    segment_id UUID COMMENT 'Segment in use; a message counts in every segment that its customer is in now',
    segment String COMMENT 'Its name',
    sent UInt64 COMMENT 'Messages queued on the day, count',
    delivered UInt64 COMMENT 'Messages that arrived on the day, count',
    read UInt64 COMMENT 'Messages first read on the day, count',
    replied UInt64 COMMENT 'Messages first answered on the day, count',
    converted UInt64 COMMENT 'Messages whose goal was first reached on the day, count',
    failed UInt64 COMMENT 'Messages that failed on the day, count',
    opted_out UInt64 COMMENT 'Messages after which somebody first wanted no more on the day, count',
    value Float64 COMMENT 'Value of goals reached, whole units of value_currency',
    value_currency LowCardinality(String) COMMENT 'ISO 4217 code of value; empty without goals',
    cost Float64 COMMENT 'Prices of the messages that arrived, whole units of cost_currency',
    cost_currency LowCardinality(String) COMMENT 'ISO 4217 code of cost; empty when no price was told'
)
AS
SELECT
    day, if(named.experiment = '', substring(toString(one.campaign_id), 1, 8), named.experiment) AS campaign, variant, member.segment_id AS segment_id,
    names.name AS segment, sum(one.sent) AS sent, sum(one.delivered) AS delivered, sum(one.read) AS read, sum(one.replied) AS replied,
    sum(one.converted) AS converted, sum(one.failed) AS failed, sum(one.opted_out) AS opted_out,
    sum(value_micros) / 1000000 AS value, if(length(money.values) = 1, money.values[1], toString(one.value_currency)) AS value_currency,
    sum(cost_micros) / 1000000 AS cost, if(length(money.costs) = 1, money.costs[1], toString(one.cost_currency)) AS cost_currency
FROM gold.campaign_customers_daily AS one
INNER JOIN gold.segment_membership AS member ON member.customer_id = one.customer_id
INNER JOIN (SELECT segment_id AS of, name FROM silver.segments WHERE NOT is_archived) AS names ON names.of = member.segment_id
-- A campaign in one currency is of that on days without an amount too, or each variant would be two rows.
LEFT JOIN (
    SELECT campaign_id, groupUniqArrayIf(toString(value_currency), value_currency != '') AS values,
        groupUniqArrayIf(toString(cost_currency), cost_currency != '') AS costs
    FROM gold.campaign_funnel GROUP BY campaign_id
) AS money ON money.campaign_id = one.campaign_id
LEFT JOIN (
    SELECT assumeNotNull(campaign_id) AS campaign_id, toString(any(experiment)) AS experiment
    FROM gold.experiment_assignments WHERE campaign_id IS NOT NULL GROUP BY campaign_id
) AS named ON named.campaign_id = one.campaign_id
GROUP BY day, campaign, variant, segment_id, segment, value_currency, cost_currency
COMMENT 'Campaigns by day, variant and segment: how far messages came, what came of them, what they cost';
