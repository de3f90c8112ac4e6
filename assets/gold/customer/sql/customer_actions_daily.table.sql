-- What each customer did, and what happened to him, by day. With the first and the last time of a day every question of
-- segments is exact: counts in windows of days, and "A, then B within N days" (the nearest pair of two days is the last A
-- of the one and the first B of the other).
CREATE TABLE IF NOT EXISTS gold.customer_actions_daily /*ON CLUSTER*/
(
    day Date COMMENT 'Business day (HUB_TIMEZONE) of the action',
    customer_id UUID COMMENT 'Customer as he lives on after merges',
    action LowCardinality(String) COMMENT 'message, message_negative (_neutral, _positive, _mixed: its sentiment), contact, technical_contact, answered, resolved, reopened, rated, campaign_received, campaign_read, campaign_replied, opt_in, opt_out, ticket_opened, invoice_late, payment, contract_started, contract_ended or outage',
    detail LowCardinality(String) COMMENT 'message: type; contact, technical_contact, answered: queue; campaign_*: template; opt_*: scope; ticket_opened: kind; contract_*: plan; outage: service; empty for others',
    actions UInt32 COMMENT 'How often on the day, count',
    value Float64 COMMENT 'Sum over them. answered: seconds to the first response by a person; rated: ratings, 1 to 5; message_negative and its like: distance of the score from 0; invoice_late, payment: amounts, millionths of their currency; 0 for others',
    first_at DateTime64(6, 'UTC') COMMENT 'The first of them, UTC',
    last_at DateTime64(6, 'UTC') COMMENT 'The last of them, UTC'
)
ENGINE = /*Replicated*/MergeTree
PARTITION BY day
ORDER BY (action, customer_id, detail)
COMMENT 'Actions of customers by day: what segments, features and models of behaviour count';
