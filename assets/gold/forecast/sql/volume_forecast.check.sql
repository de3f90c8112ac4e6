-- Each forecast covers the hours of fourteen business days for each of its queues, its interval holds its mean's order, and
-- the load that its people carry is one that they can: contacts times handling, in hours of work.
WITH rows AS (SELECT * FROM gold.volume_forecast WHERE day IN {days:Array(Date)})
SELECT figure, in_the_table, recomputed FROM
(
    SELECT
        ['hours', 'intervals in order', 'hours with people enough for the load', 'hours after the day'] AS figures,
        (SELECT [toFloat64(count()), toFloat64(count()), toFloat64(count()), toFloat64(count())] FROM rows) AS ours,
        [
            (SELECT toFloat64(sum(hours)) FROM (
                SELECT day, queue, dateDiff('hour', toDateTime(addDays(day, 1), {timezone:String}), toDateTime(addDays(day, 15), {timezone:String})) AS hours
                FROM rows GROUP BY day, queue)),
            (SELECT toFloat64(countIf(contacts_low <= contacts_high AND contacts >= 0 AND staff <= staff_high)) FROM rows),
            (SELECT toFloat64(countIf(staff >= contacts * handling_seconds / 3600)) FROM rows),
            (SELECT toFloat64(countIf(toDate(hour, {timezone:String}) > day)) FROM rows)
        ] AS theirs
)
ARRAY JOIN figures AS figure, ours AS in_the_table, theirs AS recomputed
