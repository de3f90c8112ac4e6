-- How complete the warehouse is: each business day, when it was last built and what it holds
CREATE OR REPLACE VIEW gold.bi_built_days /*ON CLUSTER*/
(
    day Date COMMENT 'Business day (HUB_TIMEZONE)',
    built_at DateTime64(3, 'UTC') COMMENT 'When it was last built, UTC',
    hours_after Int64 COMMENT 'From the day''s end (UTC) to then, hours',
    conversations UInt64 COMMENT 'Conversations, count',
    messages UInt64 COMMENT 'Messages of both sides, count',
    unanswered UInt64 COMMENT 'Conversations in which the customer wrote and nobody answered, count'
)
AS
SELECT
    days.day AS day, days.built_at AS built_at, dateDiff('hour', toDateTime(days.day + 1, 'UTC'), toDateTime(days.built_at)) AS hours_after,
    facts.conversations AS conversations, facts.messages AS messages, facts.unanswered AS unanswered
FROM (SELECT day, max(built_at) AS built_at FROM gold.built_days GROUP BY day) AS days
LEFT JOIN (
    SELECT day, count() AS conversations, sum(messages_in + messages_out) AS messages,
        countIf(first_answer_at IS NULL AND first_customer_message_at IS NOT NULL) AS unanswered
    FROM gold.conversation_facts
    GROUP BY day
) AS facts ON facts.day = days.day
COMMENT 'How complete the warehouse is: each business day, when it was last built and what it holds';
