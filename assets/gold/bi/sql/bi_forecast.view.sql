-- Contacts per hour: what the last forecast before the day said, and what came
CREATE OR REPLACE VIEW gold.bi_forecast /*ON CLUSTER*/
(
    hour DateTime('UTC') COMMENT 'Start of the hour, UTC',
    queue LowCardinality(String) COMMENT 'Queue; empty: those that the bot alone serves',
    made_on Date COMMENT 'Business day (HUB_TIMEZONE) at whose end the forecast was made',
    contacts Float64 COMMENT 'Expected conversations that a customer opens, count',
    contacts_low Float64 COMMENT 'Lower end of the interval that holds 80 % of what comes, count',
    contacts_high Float64 COMMENT 'Upper end of it, count',
    staff UInt16 COMMENT 'People at work that they need, count',
    came Nullable(UInt64) COMMENT 'Conversations that customers opened, count; NULL: the hour is not over, or not built'
)
AS
WITH (SELECT max(hour) FROM gold.service_kpi_hourly) AS newest
SELECT
    ahead.hour AS hour, ahead.queue AS queue, ahead.made_on AS made_on, ahead.contacts AS contacts, ahead.contacts_low AS contacts_low,
    ahead.contacts_high AS contacts_high, ahead.staff AS staff, if(ahead.hour < newest, toNullable(actual.came), NULL) AS came
FROM (
    SELECT
        hour, queue, max(day) AS made_on, argMax(forecast.contacts, day) AS contacts, argMax(forecast.contacts_low, day) AS contacts_low,
        argMax(forecast.contacts_high, day) AS contacts_high, argMax(forecast.staff, day) AS staff
    FROM gold.volume_forecast AS forecast
    GROUP BY hour, queue
) AS ahead
LEFT JOIN (
    SELECT hour, queue, count() AS came FROM gold.conversation_facts
    WHERE first_customer_message_at IS NOT NULL AND day > (SELECT min(day) FROM gold.volume_forecast)
    GROUP BY hour, queue
) AS actual ON actual.hour = ahead.hour AND actual.queue = ahead.queue
COMMENT 'Contacts per hour: what the last forecast before the day said, and what came';
