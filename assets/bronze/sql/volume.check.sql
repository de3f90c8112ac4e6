-- Days with less than a fifth of the median of the same weekday in the four weeks before (of those that had events), where
-- that is enough to tell: day, its events, the median.
WITH
    counted AS
    (
        SELECT toDate(period, {timezone:String}) AS day, sum(events) AS events FROM raw.events_by_period
        WHERE period >= toDateTime(subtractDays({first:Date}, 28), {timezone:String})
            AND period < toDateTime(addDays({last:Date}, 1), {timezone:String})
        GROUP BY day
    )
SELECT wanted.day AS day, any(own.events) AS events, quantileExactInclusive(0.5)(earlier.events) AS usual
FROM (SELECT arrayJoin({days:Array(Date)}) AS day) AS wanted
CROSS JOIN counted AS earlier
LEFT JOIN counted AS own ON own.day = wanted.day
WHERE earlier.day IN (subtractDays(wanted.day, 7), subtractDays(wanted.day, 14), subtractDays(wanted.day, 21), subtractDays(wanted.day, 28))
GROUP BY wanted.day
HAVING count() >= 2 AND usual >= 20 AND events < usual / 5
ORDER BY wanted.day
