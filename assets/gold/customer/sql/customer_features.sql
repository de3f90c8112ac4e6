-- days holds one day here. {bucket} of {buckets}: a share of the customers, so that what is joined fits in memory.
WITH
    toDateTime64(addDays({last:Date}, 1), 6, {timezone:String}) AS day_end,
    people AS
    (
        SELECT * FROM silver.customers
        WHERE lives_as = customer_id AND toDate(created_at, {timezone:String}) <= {last:Date}
            AND cityHash64(customer_id) % {buckets:UInt32} = {bucket:UInt32}
    ),
    behaviour AS
    (
        SELECT
            customer_id,
            day > addDays({last:Date}, -7) AS in_7, day > addDays({last:Date}, -30) AS in_30, day > addDays({last:Date}, -90) AS in_90,
            action, detail, actions, value, day, last_at
        FROM gold.customer_actions_daily
        WHERE day <= {last:Date} AND cityHash64(customer_id) % {buckets:UInt32} = {bucket:UInt32}
    ),
    acts AS
    (
        SELECT
            customer_id,
            maxOrNullIf(last_at, action = 'message') AS last_message_at,
            maxOrNullIf(last_at, action = 'contact') AS last_contact_at,
            sumIf(actions, action = 'message' AND in_7) AS messages_7d,
            sumIf(actions, action = 'message' AND in_30) AS messages_30d,
            sumIf(actions, action = 'message' AND in_90) AS messages_90d,
            sumIf(actions, action = 'contact' AND in_7) AS contacts_7d,
            sumIf(actions, action = 'contact' AND in_30) AS contacts_30d,
            sumIf(actions, action = 'contact' AND in_90) AS contacts_90d,
            sumIf(actions, action = 'technical_contact' AND in_7) AS technical_contacts_7d,
            sumIf(actions, action = 'technical_contact' AND in_30) AS technical_contacts_30d,
            sumIf(actions, action = 'technical_contact' AND in_90) AS technical_contacts_90d,
            sumIf(actions, action = 'resolved' AND in_90) AS resolved_90d,
            sumIf(actions, action = 'reopened' AND in_90) AS reopened_90d,
            sumIf(value, action = 'answered' AND in_90) / nullIf(sumIf(actions, action = 'answered' AND in_90), 0) AS first_response_seconds_90d,
            sumIf(actions, action = 'campaign_received' AND in_7) AS campaigns_received_7d,
            sumIf(actions, action = 'campaign_received' AND in_30) AS campaigns_received_30d,
            sumIf(actions, action = 'campaign_received' AND in_90) AS campaigns_received_90d,
            sumIf(actions, action = 'campaign_read' AND in_7) AS campaigns_read_7d,
            sumIf(actions, action = 'campaign_read' AND in_30) AS campaigns_read_30d,
            sumIf(actions, action = 'campaign_read' AND in_90) AS campaigns_read_90d,
            sumIf(actions, action = 'campaign_replied' AND in_7) AS campaigns_replied_7d,
            sumIf(actions, action = 'campaign_replied' AND in_30) AS campaigns_replied_30d,
            sumIf(actions, action = 'campaign_replied' AND in_90) AS campaigns_replied_90d,
            sumIf(actions, action = 'rated' AND in_90) AS ratings_90d,
            sumIf(value, action = 'rated' AND in_90) / nullIf(sumIf(actions, action = 'rated' AND in_90), 0) AS satisfaction_90d,
            argMaxOrNullIf(value / actions, day, action = 'rated') AS satisfaction_last,
            sumIf(actions, action = 'ticket_opened' AND in_30) AS tickets_30d,
            sumIf(actions, action = 'ticket_opened' AND in_90) AS tickets_90d,
            maxOrNullIf(last_at, action = 'ticket_opened') AS last_ticket_at,
            sumIf(actions, action = 'outage' AND in_30) AS outages_30d,
            maxOrNullIf(last_at, action = 'opt_in' AND detail IN ('marketing', 'all')) AS marketing_in,
            maxOrNullIf(last_at, action = 'opt_out' AND detail IN ('marketing', 'all')) AS marketing_out,
            maxOrNullIf(last_at, action = 'opt_in' AND detail IN ('utility', 'all')) AS utility_in,
            maxOrNullIf(last_at, action = 'opt_out' AND detail IN ('utility', 'all')) AS utility_out
        FROM behaviour
        GROUP BY customer_id
    ),
    contracts AS
    (
        SELECT
            assumeNotNull(customer_id) AS customer_id, contract_id, plan_id, plan_kind, speed_mbps, data_gb, price_micros, city,
            state_code, region_code, started_on, ended_on,
            multiIf(ended_on <= {last:Date}, 'cancelled', ended_on > {last:Date}, 'active', toString(status)) AS status
        FROM silver.contracts
        WHERE customer_id IS NOT NULL AND started_on <= {last:Date} AND cityHash64(assumeNotNull(customer_id)) % {buckets:UInt32} = {bucket:UInt32}
    ),
    held AS
    (
        SELECT
            customer_id,
            count() AS contracts,
            countIf(status = 'active') AS contracts_active,
            sumIf(price_micros, status = 'active') AS monthly_micros,
            minOrNullIf(started_on, status != 'cancelled') AS since,
            argMax(
                tuple(status, plan_id, plan_kind, speed_mbps, data_gb, started_on, ended_on),
                tuple(status = 'active', status = 'suspended', started_on, contract_id)) AS main,
            argMaxIf(
                tuple(city, state_code, region_code),
                tuple(status = 'active', status = 'suspended', started_on, contract_id),
                city != '' OR state_code != '' OR region_code != '') AS place
        FROM contracts
        GROUP BY customer_id
    ),
    bills AS
    (
        SELECT
            customer_id,
            countIf(of_year) AS invoices_365d,
            countIf(of_year AND settled_until AND toDate(assumeNotNull(settled_at), {timezone:String}) > due_on) AS invoices_paid_late_365d,
            countIf(is_late) AS invoices_late,
            sumIf(amount_micros, is_late) AS late_micros,
            minIf(due_on, is_late) AS oldest_due_on,
            sumIf(amount_micros, of_year) AS billed_micros_365d,
            sumIf(amount_micros, of_year AND settled_until) AS paid_micros_365d,
            maxOrNullIf(settled_at, settled_until) AS last_payment_at
        FROM
        (
            SELECT
                assumeNotNull(customer_id) AS customer_id, due_on, amount_micros, settled_at,
                due_on > addDays({last:Date}, -365) AND due_on <= {last:Date} AS of_year,
                ifNull(settled_at < day_end, false) AS settled_until,
                due_on < {last:Date} AND NOT settled_until AS is_late
            FROM silver.invoices
            WHERE customer_id IS NOT NULL AND status != 'cancelled' AND cityHash64(assumeNotNull(customer_id)) % {buckets:UInt32} = {bucket:UInt32}
        )
        GROUP BY customer_id
    ),
    tickets AS
    (
        SELECT assumeNotNull(customer_id) AS customer_id, count() AS tickets_open
        FROM silver.service_tickets
        WHERE customer_id IS NOT NULL AND status != 'cancelled' AND opened_at < day_end AND (closed_at IS NULL OR closed_at >= day_end)
            AND cityHash64(assumeNotNull(customer_id)) % {buckets:UInt32} = {bucket:UInt32}
        GROUP BY customer_id
    )
SELECT
    {last:Date} AS day,
    people.customer_id AS customer_id,
    people.status AS status,
    dateDiff('day', toDate(people.created_at, {timezone:String}), {last:Date}) AS known_days,
    if(held.place.2 != '', held.place.2, people.state_code) AS state_code,
    multiIf(
        state_code IN ('AC', 'AP', 'AM', 'PA', 'RO', 'RR', 'TO'), 'norte',
        state_code IN ('AL', 'BA', 'CE', 'MA', 'PB', 'PE', 'PI', 'RN', 'SE'), 'nordeste',
        state_code IN ('DF', 'GO', 'MT', 'MS'), 'centro_oeste',
        state_code IN ('ES', 'MG', 'RJ', 'SP'), 'sudeste',
        state_code IN ('PR', 'RS', 'SC'), 'sul', '') AS macro_region,
    held.place.1 AS city,
    held.place.3 AS region_code,
    people.language AS language,
    people.tags AS tags,
    held.contracts AS contracts,
    held.contracts_active AS contracts_active,
    held.main.1 AS contract_status,
    held.main.2 AS plan_id,
    held.main.3 AS plan_kind,
    ifNull(held.main.4, 0) AS speed_mbps,
    ifNull(held.main.5, 0) AS data_gb,
    held.monthly_micros AS monthly_micros,
    if(held.contracts = 0, 0, dateDiff('day', ifNull(held.since, held.main.6), if(held.since IS NULL, ifNull(held.main.7, {last:Date}), {last:Date}))) AS tenure_days,
    if(held.contracts > 0 AND held.main.7 <= {last:Date}, dateDiff('day', assumeNotNull(held.main.7), {last:Date}), NULL) AS contract_ended_days,
    if(acts.marketing_in IS NULL AND acts.marketing_out IS NULL, NULL, acts.marketing_out IS NULL OR ifNull(acts.marketing_in > acts.marketing_out, false)) AS consent_marketing,
    if(acts.utility_in IS NULL AND acts.utility_out IS NULL, NULL, acts.utility_out IS NULL OR ifNull(acts.utility_in > acts.utility_out, false)) AS consent_utility,
    acts.last_message_at AS last_message_at,
    dateDiff('day', toDate(acts.last_message_at, {timezone:String}), {last:Date}) AS inactive_days,
    acts.* EXCEPT (customer_id, last_message_at, marketing_in, marketing_out, utility_in, utility_out),
    bills.invoices_365d AS invoices_365d,
    bills.invoices_paid_late_365d AS invoices_paid_late_365d,
    bills.invoices_late AS invoices_late,
    bills.late_micros AS late_micros,
    if(bills.invoices_late = 0, 0, dateDiff('day', bills.oldest_due_on, {last:Date})) AS late_days,
    bills.billed_micros_365d AS billed_micros_365d,
    bills.paid_micros_365d AS paid_micros_365d,
    bills.last_payment_at AS last_payment_at,
    tickets.tickets_open AS tickets_open
FROM people
LEFT JOIN acts ON acts.customer_id = people.customer_id
LEFT JOIN held ON held.customer_id = people.customer_id
LEFT JOIN bills ON bills.customer_id = people.customer_id
LEFT JOIN tickets ON tickets.customer_id = people.customer_id
