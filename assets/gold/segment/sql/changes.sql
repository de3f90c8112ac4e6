-- From the members before to the members now ({aside}) of some segments, but for what this run has written already.
SELECT * FROM
(
    SELECT
        {day:Date} AS day,
        segment_id,
        customer_id,
        if(is_now, 'entered', 'left') AS change,
        multiIf(
            segment_id NOT IN {used:Array(UUID)}, 'archived',
            NOT is_now AND customer_id NOT IN (SELECT customer_id FROM gold.customer_features WHERE day = {day:Date}), 'gone',
            segment_id IN {redefined:Array(UUID)}, 'definition',
            'data') AS why,
        transform(toString(segment_id), {ids:Array(String)}, {versions:Array(UInt32)}, was_version) AS version,
        {run:String} AS run
    FROM
    (
        SELECT segment_id, customer_id, max(now) AS is_now, max(before) AS was, max(version_before) AS was_version FROM
        (
            SELECT segment_id, customer_id, true AS now, false AS before, toUInt32(0) AS version_before
            FROM {aside} WHERE segment_id IN {batch:Array(UUID)}
            UNION ALL
            SELECT segment_id, customer_id, false, true, version
            FROM gold.segment_membership WHERE segment_id IN {batch:Array(UUID)}
        )
        GROUP BY segment_id, customer_id
        HAVING is_now != was
    )
)
WHERE (segment_id, customer_id, change) NOT IN (
    SELECT segment_id, customer_id, change FROM gold.segment_membership_history WHERE segment_id IN {batch:Array(UUID)} AND run = {run:String})
