-- Each scored day has the score's own drift once, and verdicts follow from the figures.
SELECT figure, in_the_table, recomputed FROM
(
    SELECT
        ['days with the drift of the score', 'verdicts as the figures say'] AS figures,
        (SELECT [toFloat64(countIf(feature = 'score')), toFloat64(count())] FROM gold.churn_drift WHERE day IN {days:Array(Date)}) AS ours,
        [
            (SELECT toFloat64(uniqExact(day)) FROM gold.churn_risk WHERE day IN {days:Array(Date)}),
            (SELECT toFloat64(countIf(verdict = multiIf(psi <= by_chance OR psi <= 0.1, 'stable', psi > 0.25, 'act', 'watch')))
                FROM gold.churn_drift WHERE day IN {days:Array(Date)})
        ] AS theirs
)
ARRAY JOIN figures AS figure, ours AS in_the_table, theirs AS recomputed
