CREATE TABLE IF NOT EXISTS gold.volume_forecast /*ON CLUSTER*/
(
    day Date COMMENT 'Business day (HUB_TIMEZONE) at whose end the forecast was made: it knows nothing after it',
    hour DateTime('UTC') COMMENT 'Start of the hour that is forecast, UTC; the fourteen business days after the day',
    queue LowCardinality(String) COMMENT 'Queue as in gold.conversation_facts; empty: those that the bot alone serves',
    contacts Float64 COMMENT 'Expected conversations that a customer opens in the hour, count',
    contacts_low Float64 COMMENT 'Lower end of the interval that holds 80 % of what comes, count',
    contacts_high Float64 COMMENT 'Upper end of it, count',
    handling_seconds Float64 COMMENT 'Time of a person per conversation of the queue, mean of the last 28 days, seconds; 0 when no person serves it',
    staff UInt16 COMMENT 'People at work with whom 80 % of contacts are answered within 120 seconds and who are busy at most 85 % (Erlang C, one conversation at a time), count',
    staff_high UInt16 COMMENT 'The same if contacts_high come, count'
)
ENGINE = /*Replicated*/MergeTree
PARTITION BY day
ORDER BY (queue, hour)
COMMENT 'Contacts per hour and queue to be expected in the next fourteen days, and the people they need';
