-- What customers' messages speak of and how, by day and queue
CREATE OR REPLACE VIEW gold.bi_sentiment_aspects /*ON CLUSTER*/
(
    day Date COMMENT 'Business day (HUB_TIMEZONE) on which it was written',
    queue LowCardinality(String) COMMENT 'Queue of the moment; empty for the bot',
    aspect LowCardinality(String) COMMENT 'signal, billing, price, service, installation or cancellation',
    tone LowCardinality(String) COMMENT 'How it is spoken of: negative, neutral or positive',
    mentions UInt64 COMMENT 'Messages that speak of it so, count'
)
AS
SELECT moods.day AS day, facts.queue AS queue, spoken.1 AS aspect, spoken.2 AS tone, count() AS mentions
FROM (SELECT day, message_id, arrayJoin(aspects) AS spoken FROM gold.message_sentiment) AS moods
INNER JOIN gold.message_facts AS facts ON facts.day = moods.day AND facts.message_id = moods.message_id
GROUP BY day, queue, aspect, tone
COMMENT 'What customers'' messages speak of and how, by day and queue';
