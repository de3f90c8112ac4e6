-- answers: the name of a table like this one with what was read now; model: the version in use. What the same version has read of the
-- same words stays. A message without words any more (its customer was erased, or deleted it) has no row.
SELECT read.*
FROM
(
    SELECT * FROM gold.{answers:Identifier}
    UNION ALL
    SELECT * FROM gold.message_sentiment WHERE day IN {days:Array(Date)} AND model = {model:String}
) AS read
INNER JOIN
(
    SELECT message_id, version FROM silver.messages
    WHERE day IN {days:Array(Date)} AND author = 'customer' AND revoked_at IS NULL AND trimBoth(ifNull(content, '')) != ''
) AS said ON said.message_id = read.message_id AND said.version = read.message_version
WHERE day IN {days:Array(Date)}
ORDER BY day, conversation_id
