-- Why customers write: the reason of each conversation, as the model of messages read it
CREATE OR REPLACE VIEW gold.bi_contact_reasons /*ON CLUSTER*/
(
    day Date COMMENT 'Business day (HUB_TIMEZONE) of the opening',
    queue LowCardinality(String) COMMENT 'Last queue; empty for the bot',
    reason LowCardinality(String) COMMENT 'Commonest reason of its messages (gold.message_sentiment) that is no small talk: billing, cancellation, installation, payments, plans, service, technical; smalltalk when all are',
    conversations UInt64 COMMENT 'Conversations, count',
    resolved UInt64 COMMENT 'Of those, resolved, count',
    score_sum Float64 COMMENT 'Sum of the mean scores of their messages, -1 to 1 each',
    got_worse UInt64 COMMENT 'Of those, with a lower mood at the end than at the start, count'
)
AS
SELECT
    moods.day AS day, facts.queue AS queue, moods.reason AS reason, count() AS conversations, countIf(facts.is_resolved) AS resolved,
    sum(moods.score_mean) AS score_sum, countIf(moods.score_end < moods.score_start) AS got_worse
FROM gold.conversation_sentiment AS moods
INNER JOIN gold.conversation_facts AS facts ON facts.day = moods.day AND facts.conversation_id = moods.conversation_id
GROUP BY day, queue, reason
COMMENT 'Why customers write: the reason of each conversation, as the model of messages read it';
