-- Each experiment as it stood at the end of each day, in words and figures that people read
CREATE OR REPLACE VIEW gold.bi_experiments /*ON CLUSTER*/
(
    day Date COMMENT 'Business day (HUB_TIMEZONE) at whose end it was read out',
    is_newest Bool COMMENT 'The newest read-out of the experiment',
    experiment LowCardinality(String) COMMENT 'Key of the experiment',
    variant LowCardinality(String) COMMENT 'Variant',
    is_control Bool COMMENT 'The variant that the others are compared with',
    metric LowCardinality(String) COMMENT 'conversion, value, value_per_goal, value_p90, value_p99, reply or opt_out',
    kind LowCardinality(String) COMMENT 'proportion, mean, ratio or quantile',
    role LowCardinality(String) COMMENT 'primary, secondary or guardrail',
    assigned UInt64 COMMENT 'People assigned so far, count',
    estimate Float64 COMMENT 'The variant''s own share, mean, ratio or quantile',
    difference Nullable(Float64) COMMENT 'Variant minus control (after CUPED for a mean); NULL for the control',
    low Nullable(Float64) COMMENT 'Its interval that holds at every look (a quantile: at one look fixed before), low end; NULL: too early',
    high Nullable(Float64) COMMENT 'The same, high end',
    shown_estimate String COMMENT 'estimate as people read it, pt-BR: % of a proportion, else two decimals',
    shown_effect String COMMENT 'difference and its interval as people read them, pt-BR: percentage points (p.p.) of a proportion, else two decimals',
    p_value Nullable(Float64) COMMENT 'Always-valid p over all arms and metrics of the role, 0 to 1; NULL for the control',
    srm_p Float64 COMMENT 'Sample ratio mismatch: smallest always-valid p so far, 0 to 1',
    srm_blocks Bool COMMENT 'The arms are not as planned: no figure of this day counts',
    delivery_differs Bool COMMENT 'The arms that send were not reached equally',
    is_complete Bool COMMENT 'The window of everybody assigned is over',
    decision LowCardinality(String) COMMENT 'control, blocked, early, better, worse, undecided, of a quantile informs, or of a guardrail kept, broken, open',
    verdict String COMMENT 'The same in words, Portuguese'
)
AS
WITH
    x -> replaceOne(replaceOne(printf('%.2f', toFloat64(x)), '.', ','), '-', '−') AS shown,
    x -> concat(if(x > 0, '+', ''), shown(x)) AS signed,
    newest AS (SELECT experiment_id, max(day) AS last FROM gold.experiment_results GROUP BY experiment_id)
SELECT
    day, day = newest.last AS is_newest, experiment, variant, variant = control AS is_control, metric, kind, role, customers AS assigned,
    estimate, coalesce(adjusted_difference, results.difference) AS difference, if(kind = 'quantile', difference_low, sequential_low) AS low,
    if(kind = 'quantile', difference_high, sequential_high) AS high,
    if(kind = 'proportion', concat(shown(100 * estimate), ' %'), shown(estimate)) AS shown_estimate,
    multiIf(
        variant = control OR isNull(difference), '–',
        kind = 'proportion', concat(signed(100 * assumeNotNull(difference)), ' p.p. (',
            if(isNull(low), 'cedo demais', concat(signed(100 * ifNull(low, 0)), ' a ', signed(100 * ifNull(high, 0)))), ')'),
        concat(signed(assumeNotNull(difference)), ' (',
            if(isNull(low), 'cedo demais', concat(signed(ifNull(low, 0)), ' a ', signed(ifNull(high, 0)))), ')')) AS shown_effect,
    sequential_p_adjusted AS p_value, srm_sequential_p AS srm_p, srm_blocks, delivery_differs, complete AS is_complete, decision, verdict
FROM gold.experiment_results AS results
INNER JOIN newest ON newest.experiment_id = results.experiment_id
COMMENT 'Each experiment as it stood at the end of each day, in words and figures that people read';
