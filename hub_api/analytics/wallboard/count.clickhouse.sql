-- name: built  -- {day}, {timezone} -> kpi, queue, hour (the operator's clock), numerator, denominator; /*kpi*/ and /*view*/ are the catalogue's
SELECT '/*kpi*/' AS kpi, toString(queue) AS place, toHour(toTimeZone(hour, {timezone:String})) AS of_hour,
    sum(numerator) AS n, sum(denominator) AS d
FROM /*view*/ WHERE day = {day:Date} GROUP BY place, of_hour;
