-- What the tables know of one customer. Each answer tells the day it is of.

-- name: segments  -- {customer} -> segment_id, entered_on of those he is in
SELECT segment_id, entered_on FROM gold.segment_membership WHERE customer_id = {customer:UUID} ORDER BY segment_id;

-- name: segments_as_of  -- -> computed_at: when members were found last; no row before the first time
SELECT max(computed_at) AS computed_at FROM gold.segment_state HAVING count() > 0;

-- name: churn  -- {customer} -> his last scoring
SELECT day, probability, band, reasons, horizon_days FROM gold.churn_risk
WHERE customer_id = {customer:UUID} ORDER BY day DESC LIMIT 1;

-- name: value  -- {customer} -> tier and scores by the newest features
SELECT as_of, tier, value_score, rfm_group FROM gold.customer_value WHERE customer_id = {customer:UUID};

-- name: sentiment  -- {customer} -> moods of his last conversations, the newest first
SELECT day, conversation_id, score_mean, final_label, reason FROM gold.conversation_sentiment
WHERE customer_id = {customer:UUID} ORDER BY day DESC, conversation_id DESC LIMIT 5;

-- name: habits  -- {customer} -> what he did lately, by the newest features
SELECT day, contacts_30d, contacts_90d, satisfaction_90d, satisfaction_last, tickets_open, tenure_days
FROM gold.customer_features WHERE customer_id = {customer:UUID} ORDER BY day DESC LIMIT 1;
