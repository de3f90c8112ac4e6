-- Days whose actions are no longer as they were built: facts of rows that the operator changed on these days, and days that
-- still speak of a customer who lives on as another.
SELECT DISTINCT day FROM
(
    SELECT toDate(opened_at, {timezone:String}) AS day FROM silver.service_tickets WHERE toDate(updated_at, {timezone:String}) IN {days:Array(Date)}
    UNION ALL
    SELECT toDate(arrayJoin([toDate32(addDays(due_on, 1)), toDate32(ifNull(settled_at, toDateTime64(due_on, 6, 'UTC')), {timezone:String})]))
    FROM silver.invoices WHERE toDate(updated_at, {timezone:String}) IN {days:Array(Date)}
    UNION ALL
    SELECT toDate(arrayJoin([started_on, ifNull(ended_on, started_on)])) FROM silver.contracts
    WHERE toDate(updated_at, {timezone:String}) IN {days:Array(Date)} AND (started_on >= {start:Date} OR ended_on >= {start:Date})
    UNION ALL
    SELECT toDate(started_at, {timezone:String}) FROM silver.outages WHERE toDate(updated_at, {timezone:String}) IN {days:Array(Date)}
    UNION ALL
    SELECT DISTINCT day FROM gold.customer_actions_daily
    WHERE customer_id IN (SELECT customer_id FROM silver.customers WHERE lives_as != customer_id)
)
WHERE day BETWEEN {start:Date} AND {last:Date} AND day NOT IN {days:Array(Date)}
ORDER BY day
