-- What customers' messages say, by day and queue; nobody's words
CREATE OR REPLACE VIEW gold.bi_sentiment_daily /*ON CLUSTER*/
(
    day Date COMMENT 'Business day (HUB_TIMEZONE) on which it was written',
    queue LowCardinality(String) COMMENT 'Queue of the moment; empty for the bot',
    label LowCardinality(String) COMMENT 'Likeliest class: negative, neutral, positive or mixed',
    messages UInt64 COMMENT 'Messages with words, count',
    score_sum Float64 COMMENT 'Sum of their scores, -1 to 1 each'
)
AS
SELECT moods.day AS day, facts.queue AS queue, moods.label AS label, count() AS messages, sum(toFloat64(moods.score)) AS score_sum
FROM gold.message_sentiment AS moods
INNER JOIN gold.message_facts AS facts ON facts.day = moods.day AND facts.message_id = moods.message_id
GROUP BY day, queue, label
COMMENT 'What customers'' messages say, by day and queue; nobody''s words';
