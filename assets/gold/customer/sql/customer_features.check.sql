-- The same totals from what lies below, without the table of actions: messages and contacts of 30 days from silver, late
-- invoices by their dates, active contracts, marketing refusals by the newest event of each customer.
WITH
    living AS (SELECT customer_id FROM silver.customers WHERE lives_as = customer_id AND toDate(created_at, {timezone:String}) <= (SELECT max(day) FROM gold.customer_features WHERE day IN {days:Array(Date)})),
    moved AS (SELECT customer_id, lives_as FROM silver.customers),
    (SELECT max(day) FROM gold.customer_features WHERE day IN {days:Array(Date)}) AS newest,
    features AS (SELECT * FROM gold.customer_features WHERE day = newest)
SELECT figure, in_the_table, recomputed FROM
(
    SELECT
        ['customers', 'messages in 30 days', 'contacts in 30 days', 'late invoices', 'active contracts', 'marketing refused'] AS figures,
        (SELECT [toFloat64(count()), toFloat64(sum(messages_30d)), toFloat64(sum(contacts_30d)), toFloat64(sum(invoices_late)),
            toFloat64(sum(contracts_active)), toFloat64(countIf(consent_marketing = false))] FROM features) AS ours,
        [
            if(newest = toDate(0), 0, (SELECT toFloat64(count()) FROM living)),
            (SELECT toFloat64(count()) FROM silver.messages AS told INNER JOIN moved ON moved.customer_id = told.customer_id
                WHERE direction = 'in' AND day > addDays(newest, -30) AND day <= newest AND moved.lives_as IN (SELECT customer_id FROM living)),
            (SELECT toFloat64(uniqExact(conversation_id)) FROM silver.messages AS told INNER JOIN moved ON moved.customer_id = told.customer_id
                WHERE direction = 'in' AND moved.lives_as IN (SELECT customer_id FROM living) AND conversation_id IN (
                    SELECT conversation_id FROM silver.conversations WHERE day > addDays(newest, -30) AND day <= newest)),
            (SELECT toFloat64(count()) FROM silver.invoices
                WHERE customer_id IN (SELECT customer_id FROM living) AND status != 'cancelled' AND due_on < newest
                    AND NOT ifNull(toDate(settled_at, {timezone:String}) <= newest, false)),
            (SELECT toFloat64(count()) FROM silver.contracts
                WHERE customer_id IN (SELECT customer_id FROM living) AND started_on <= newest
                    AND if(ended_on IS NULL, status = 'active', ended_on > newest)),
            (SELECT toFloat64(countIf(NOT said)) FROM (
                SELECT argMax(assumeNotNull(granted), event_time) AS said FROM bronze.events AS told
                INNER JOIN moved ON moved.customer_id = assumeNotNull(told.customer_id)
                WHERE type = 'consent.changed' AND scope IN ('marketing', 'all') AND day <= newest
                    AND moved.lives_as IN (SELECT customer_id FROM living)
                GROUP BY moved.lives_as))
        ] AS theirs
)
ARRAY JOIN figures AS figure, ours AS in_the_table, theirs AS recomputed
