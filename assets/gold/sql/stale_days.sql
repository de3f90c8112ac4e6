-- Days whose gold tables lack events that raw.events has: one row per day with the newest such batch, and whether something came
-- late: an event of the day itself, or of a day before it that it is made of. The other days lack what became of their conversations.
-- A new event of a conversation changes every day the conversation was active on (its facts belong to the opening day,
-- a message's fate to the day it was written), and a step of its state also the backlog of every built day since; with
-- `looks_back` (a table looks at a customer's whole past) any event does.
WITH
    active AS
    (
        SELECT
            conversation_id,
            toDate(period, {timezone:String}) AS day,
            max(last_batch) AS batch,
            max(last_state_batch) AS state_batch
        FROM raw.events_by_period
        GROUP BY conversation_id, day
    ),
    touched AS
    (
        SELECT day, max(newest) AS batch, max(own) AS own_batch, max(state_batch) AS state_batch
        FROM
        (
            SELECT day, batch AS own, state_batch,
                if(conversation_id = toUUID('00000000-0000-0000-0000-000000000000'), batch, max(batch) OVER (PARTITION BY conversation_id)) AS newest
            FROM active
        )
        GROUP BY day
    ),
    built AS (SELECT day, batch FROM gold.built_days FINAL)
SELECT day, newest, late > built.batch AS came_late
FROM
(
    SELECT
        days.day AS day,
        greatest(touched.own_batch, max(if({looks_back:Bool}, touched.own_batch, touched.state_batch)) OVER (ORDER BY days.day ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)) AS late,
        greatest(touched.batch, late) AS newest
    FROM (SELECT day FROM touched UNION DISTINCT SELECT day FROM built) AS days
    LEFT JOIN touched ON touched.day = days.day
) AS wanted
LEFT JOIN built ON built.day = wanted.day
WHERE wanted.newest > built.batch AND wanted.day BETWEEN {first:Date} AND {last:Date}
ORDER BY day
