-- How large segments in use were, on each day on which somebody entered or left
CREATE OR REPLACE VIEW gold.bi_segment_sizes /*ON CLUSTER*/
(
    day Date COMMENT 'Business day (HUB_TIMEZONE) at whose end it was so',
    segment String COMMENT 'Its name',
    members Int64 COMMENT 'Members at the end of the day, count',
    entered UInt64 COMMENT 'Who entered on the day, count',
    left_it UInt64 COMMENT 'Who left on the day, count',
    is_newest Bool COMMENT 'Nobody entered or left the segment since'
)
AS
SELECT
    day, segment, sum(toInt64(entered) - toInt64(gone)) OVER (PARTITION BY segment ORDER BY day) AS members, entered, gone AS left_it,
    day = max(day) OVER (PARTITION BY segment) AS is_newest
FROM (
    SELECT history.day AS day, names.name AS segment, countIf(change = 'entered') AS entered, countIf(change = 'left') AS gone
    FROM (SELECT DISTINCT day, segment_id, customer_id, change, run FROM gold.segment_membership_history) AS history
    INNER JOIN (SELECT segment_id, name FROM silver.segments WHERE NOT is_archived) AS names ON names.segment_id = history.segment_id
    GROUP BY day, segment
)
COMMENT 'How large segments in use were, on each day on which somebody entered or left';
