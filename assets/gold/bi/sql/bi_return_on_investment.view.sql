-- What the hub brings and costs by month, in BRL: what people entered, and what it measures itself
CREATE OR REPLACE VIEW gold.bi_return_on_investment /*ON CLUSTER*/
(
    month Date COMMENT 'First day of the month (HUB_TIMEZONE), from the first that has anything to the present one',
    benefits Float64 COMMENT 'Benefits that people entered, BRL; a monthly one by the days of the month that it holds, none after today',
    costs Float64 COMMENT 'Costs that people entered, BRL; the same',
    savings Nullable(Float64) COMMENT 'Measured: (stored baseline of cost_per_resolved - cost per resolved conversation) * resolved conversations, day by day at the day''s exchange rate, BRL; less than 0 when it costs more than before. Days up to the last one that the baseline was measured on do not count. NULL without a baseline or a rate, or when messages were priced in several currencies',
    net Float64 COMMENT 'benefits + savings - costs, BRL',
    cumulative Float64 COMMENT 'Sum of net from the first month to this one, BRL',
    roi Nullable(Float64) COMMENT '(benefits + savings - costs) / costs, each summed from the first month to this one: 0.5 is 50 %; NULL without costs',
    payback_month Nullable(Date) COMMENT 'First month from which on cumulative is never below 0 again; NULL while it is below, or there are no costs. The same in every row',
    payback_months Nullable(UInt32) COMMENT 'Months from the first one to payback_month, both counted; NULL as payback_month'
)
AS
WITH
    (SELECT maxOrNull(value) FROM silver.kpi_baseline WHERE kpi = 'cost_per_resolved') AS baseline,
    (SELECT maxOrNull(measured_to) FROM silver.kpi_baseline WHERE kpi = 'cost_per_resolved') AS measured_to,
    (SELECT groupUniqArray(toString(currency)) FROM gold.cost_daily WHERE currency != '') AS currencies,
    days AS
    (
        SELECT day, currencies[1] AS currency, sum(denominator) AS resolved, sum(numerator) / 1000000 AS cost
        FROM gold.kpi_cost_per_resolved
        WHERE length(currencies) = 1 AND baseline IS NOT NULL AND (measured_to IS NULL OR toDate32(day) > measured_to)
        GROUP BY day
    ),
    rates AS
    (
        SELECT toString(currency) AS currency, valid_from, brl_micros / 1000000 AS brl FROM silver.exchange_rates
        UNION ALL
        SELECT 'BRL', toDate32('1900-01-01'), 1.
    ),
    saved AS
    (
        SELECT toStartOfMonth(days.day) AS month, sum((assumeNotNull(baseline) * days.resolved - days.cost) * rates.brl) AS savings
        FROM (SELECT *, toDate32(day) AS on_day FROM days) AS days
        ASOF INNER JOIN rates ON rates.currency = days.currency AND rates.valid_from <= days.on_day
        GROUP BY month
    ),
    entries AS
    (
        SELECT
            kind, every, amount_micros / 1000000 AS amount, toDate(valid_from) AS first, toDate(least(ifNull(valid_to, toDate32(today())), toDate32(today()))) AS last
        FROM silver.benefits_and_costs WHERE valid_from <= toDate32(today())
    ),
    first_month AS
    (
        SELECT toStartOfMonth(min(day)) AS month
        FROM (SELECT min(first) AS day FROM entries HAVING count() > 0 UNION ALL SELECT min(month) FROM saved HAVING count() > 0)
        HAVING count() > 0
    ),
    months AS
    (
        SELECT addMonths(month, arrayJoin(range(toUInt32(dateDiff('month', month, today()) + 1)))) AS month FROM first_month
    ),
    entered AS
    (
        SELECT
            months.month AS month,
            sumIf(counted, kind = 'benefit') AS benefits, sumIf(counted, kind = 'cost') AS costs
        FROM
        (
            SELECT
                months.month AS month, kind,
                if(every = 'once', if(toStartOfMonth(first) = months.month, amount, 0.),
                    amount * greatest(0, toInt32(least(last, toLastDayOfMonth(months.month))) - toInt32(greatest(first, months.month)) + 1)
                        / toDayOfMonth(toLastDayOfMonth(months.month))) AS counted
            FROM months CROSS JOIN entries
        ) AS months
        GROUP BY month
    ),
    by_month AS
    (
        SELECT
            months.month AS month, entered.benefits AS benefits, entered.costs AS costs, saved.savings AS savings,
            entered.benefits + ifNull(saved.savings, 0) - entered.costs AS net,
            sum(net) OVER (ORDER BY months.month) AS cumulative,
            cumulative / nullIf(sum(entered.costs) OVER (ORDER BY months.month), 0) AS roi
        FROM months
        LEFT JOIN entered ON entered.month = months.month
        LEFT JOIN (SELECT month, toNullable(savings) AS savings FROM saved) AS saved ON saved.month = months.month
    ),
    paid AS
    (
        SELECT
            min(month) AS begin, if(countIf(cumulative < 0) = 0, begin, addMonths(maxIf(month, cumulative < 0), 1)) AS back,
            sum(costs) > 0 AND back <= max(month) AS is_paid
        FROM by_month
    )
SELECT
    month, benefits, costs, savings, net, cumulative, roi,
    if(is_paid, back, NULL) AS payback_month, if(is_paid, toUInt32(dateDiff('month', begin, back) + 1), NULL) AS payback_months
FROM by_month CROSS JOIN paid
COMMENT 'What the hub brings and costs by month, in BRL: what people entered, and what it measures itself';
