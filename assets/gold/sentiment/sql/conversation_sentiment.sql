-- Messages of later days count too: a conversation belongs to the day it was opened.
WITH
    talks AS
    (
        SELECT
            opened.day AS day,
            read.conversation_id AS conversation_id,
            any(read.customer_id) AS customer_id,
            arraySort(groupArray((read.sent_at, read.message_id, toFloat64(read.score), toString(read.label), toString(read.model)))) AS said,
            arraySort(groupUniqArrayArray(arrayFilter((name, how) -> how = 'negative', mapKeys(read.aspects), mapValues(read.aspects)))) AS aspects_negative,
            arraySort(groupUniqArrayArray(arrayFilter((name, how) -> how = 'positive', mapKeys(read.aspects), mapValues(read.aspects)))) AS aspects_positive,
            groupArray(toString(read.reason)) AS reasons
        FROM gold.message_sentiment AS read
        INNER JOIN (SELECT day, conversation_id FROM silver.conversations WHERE day IN {days:Array(Date)}) AS opened
            ON opened.conversation_id = read.conversation_id
        WHERE read.conversation_id IN (SELECT conversation_id FROM silver.conversations WHERE day IN {days:Array(Date)})
        GROUP BY day, conversation_id
    ),
    scores AS
    (
        SELECT
            *,
            said.3 AS score,
            length(said) AS n,
            toUInt32(ceil(n / 3)) AS third,
            arrayCumSum(score) AS sums,
            -- For each way of cutting in two: how much of the squares two means explain.
            arrayMap(k -> pow(sums[n] / n - sums[k] / k, 2) * k * n / (n - k), range(1, n)) AS explained,
            if(n >= 3, indexOf(explained, arrayMax(explained)), 0) AS cut,
            if(cut > 0, (sums[n] - sums[cut]) / (n - cut) - sums[cut] / cut, 0) AS turn,
            arrayFilter(label -> label != 'neutral', said.4) AS moods
        FROM talks
    )
SELECT
    day,
    conversation_id,
    customer_id,
    n AS messages,
    arrayAvg(score) AS score_mean,
    arrayAvg(arraySlice(score, 1, third)) AS score_start,
    arrayAvg(arraySlice(score, -third)) AS score_end,
    if(n < 2, NULL, arraySum((x, y) -> (x - (n + 1) / 2) * (y - score_mean), arrayEnumerate(score), score) * 12 / (n * (n * n - 1.))) AS score_slope,
    arrayMin(score) AS score_minimum,
    said[indexOf(score, score_minimum)].2 AS minimum_message_id,
    if(abs(turn) >= 0.3, said[cut + 1].2, NULL) AS turning_message_id,
    if(abs(turn) >= 0.3, turn, NULL) AS turning_change,
    if(empty(moods), 'neutral', moods[1]) AS first_label,
    if(empty(moods), 'neutral', moods[-1]) AS final_label,
    countEqual(said.4, 'negative') AS negative_messages,
    countEqual(said.4, 'positive') AS positive_messages,
    countEqual(said.4, 'mixed') AS mixed_messages,
    aspects_negative,
    aspects_positive,
    if(
        empty(arrayFilter(why -> why != 'smalltalk', reasons)),
        'smalltalk',
        arraySort(why -> (-countEqual(reasons, why), why), arrayDistinct(arrayFilter(why -> why != 'smalltalk', reasons)))[1]
    ) AS reason,
    said[n].5 AS model
FROM scores
ORDER BY day, conversation_id
