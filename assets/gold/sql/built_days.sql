-- The days of a run are complete up to the batch that all of bronze is complete up to: a day of bronze that raw.events
-- has outrun holds it back, since a conversation's later events may lie there.
SELECT
    arrayJoin({days:Array(Date)}) AS day,
    (
        SELECT min(built.batch)
        FROM (SELECT toDate(period, {timezone:String}) AS day, max(last_batch) AS batch FROM raw.events_by_period GROUP BY day) AS arrived
        FULL JOIN (SELECT day, batch FROM bronze.built_days FINAL) AS built ON built.day = arrived.day
        WHERE (built.day IN {days:Array(Date)} OR arrived.batch > built.batch)
            AND if(built.day = toDate(0), arrived.day, built.day) BETWEEN {start:Date} AND {today:Date}
    ) AS batch
