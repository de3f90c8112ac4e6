-- Customers with an active contract at the end of a kept day, and whether a contract of theirs ended within the horizon after
-- it. Days whose horizon is not over give none: nobody knows their answer. {share}: of a thousand customers so many are taken,
-- each with all his days.
SELECT features.day AS snapshot, toString(features.customer_id) AS customer, {columns}, ended.customer_id IS NOT NULL AS churned
FROM (
    SELECT * FROM gold.customer_features
    WHERE contracts_active > 0 AND toDayOfWeek(day) = 7 AND day <= addDays({upto:Date}, -{horizon:UInt16})
        AND day >= addDays({upto:Date}, -{memory:UInt16}) AND cityHash64(customer_id, 'churn') % 1000 < {share:UInt16}
) AS features
LEFT JOIN
(
    SELECT DISTINCT snapshots.day AS day, actions.customer_id AS customer_id
    FROM (SELECT customer_id, day AS ended_on FROM gold.customer_actions_daily WHERE action = 'contract_ended') AS actions
    CROSS JOIN (SELECT DISTINCT day FROM gold.customer_features) AS snapshots
    WHERE actions.ended_on > snapshots.day AND actions.ended_on <= addDays(snapshots.day, {horizon:UInt16})
) AS ended ON ended.day = features.day AND ended.customer_id = features.customer_id
ORDER BY snapshot, customer
SETTINGS join_use_nulls = 1
