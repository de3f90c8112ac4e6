-- Only messages drawn by chance (`random`) tell how good the model is; `uncertain` ones were taken because it may be wrong. kappa is
-- Cohen's (A coefficient of agreement for nominal scales, 1960): (share - share by chance) / (1 - share by chance).
CREATE OR REPLACE VIEW gold.teacher_agreement /*ON CLUSTER*/
(
    teacher String COMMENT 'Who labelled: the name of a language model, or a person''s',
    chosen_by String COMMENT 'random or uncertain; empty where nobody chose',
    messages UInt64 COMMENT 'Messages with the teacher''s newest sentiment that a model of ours read, count',
    sentiment_share Float64 COMMENT 'Of them those where both name the same sentiment, 0 to 1',
    kappa Nullable(Float64) COMMENT 'What is left of that beyond chance, at most 1; NULL where chance alone agrees always',
    intent_share Nullable(Float64) COMMENT 'Same intent, of those whose teacher named one, 0 to 1; NULL when none did'
)
AS
WITH
    counted AS
    (
        SELECT
            labels.teacher AS teacher,
            labels.chosen_by AS chosen_by,
            labels.sentiment AS said,
            toString(read.label) AS found,
            count() AS n,
            countIf(labels.intent != '') AS with_intent,
            countIf(labels.intent != '' AND labels.intent = read.intent) AS same_intent
        FROM
        (
            SELECT
                message_id,
                toString(teacher) AS teacher,
                argMax(toString(chosen_by), labelled_at) AS chosen_by,
                argMax(toString(sentiment), labelled_at) AS sentiment,
                argMax(toString(intent), labelled_at) AS intent
            FROM silver.message_labels
            GROUP BY message_id, teacher
        ) AS labels
        INNER JOIN gold.message_sentiment AS read ON read.message_id = labels.message_id
        WHERE labels.sentiment != ''
        GROUP BY teacher, chosen_by, said, found
    ),
    groups AS
    (
        SELECT
            teacher, chosen_by, sum(n) AS total, sumIf(n, said = found) / total AS share, sum(with_intent) AS named, sum(same_intent) AS same,
            sumMap(map(said, n)) AS ones, sumMap(map(found, n)) AS others,
            arraySum(name -> toFloat64(ones[name]) * toFloat64(others[name]), mapKeys(ones)) / pow(total, 2) AS chance
        FROM counted
        GROUP BY teacher, chosen_by
    )
SELECT
    teacher,
    chosen_by,
    total AS messages,
    share AS sentiment_share,
    if(chance = 1, NULL, (share - chance) / (1 - chance)) AS kappa,
    if(named = 0, NULL, same / named) AS intent_share
FROM groups
COMMENT 'How often each teacher and the model that read the message say the same, by how messages were chosen';
