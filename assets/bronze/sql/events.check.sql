-- Events of raw by their ids, and what bronze has of them; tables as they were when bronze was built, not as they are now.
WITH (SELECT max(batch) FROM bronze.built_days FINAL WHERE day IN {days:Array(Date)}) AS built
SELECT
    'events' AS figure,
    (SELECT count() FROM bronze.events WHERE day IN {days:Array(Date)}) AS in_the_table,
    (
        SELECT uniqExact(id) FROM raw.events
        WHERE event_time >= toDateTime({first:Date}, {timezone:String})
            AND event_time < toDateTime(addDays({last:Date}, 1), {timezone:String})
            AND toDate(event_time, {timezone:String}) IN {days:Array(Date)} AND batch <= built
    ) AS recomputed
