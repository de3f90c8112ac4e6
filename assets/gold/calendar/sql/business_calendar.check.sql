WITH (SELECT (min(day), max(day)) FROM gold.business_calendar) AS ends
SELECT 'days' AS figure, toFloat64(count()) AS in_the_table, toFloat64(dateDiff('day', ends.1, ends.2) + 1) AS recomputed FROM gold.business_calendar
UNION ALL
SELECT 'open seconds before the last day', toFloat64(max(open_seconds_before)),
    toFloat64(sumIf(toUnixTimestamp(closes_at) - toUnixTimestamp(opens_at), day < ends.2))
FROM gold.business_calendar
