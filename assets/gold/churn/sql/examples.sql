-- Customers with an active contract at the end of a kept day, and whether a contract of theirs ended within the horizon after
-- it. Days whose horizon is not over give none: nobody knows their answer. Nor do days before the first contact: customers
-- come with contracts of years, but who left before the hub was there is not among them, and who stayed had nothing yet to
-- tell. {left} and {stayed}: of a million rows so many are taken, of those who left and of the others, who are many and tell
-- little each. By customer and day, not by customer: what seldom happens to anybody (two faults in a month) is then seen of
-- four times as many people.
SELECT * EXCEPT (draw)
FROM (
    SELECT
        features.day AS snapshot, toString(features.customer_id) AS customer, {columns},
        ended.customer_id IS NOT NULL AS churned, features.draw AS draw
    FROM (
        SELECT *, cityHash64(customer_id, day, 'churn') % 1000000 AS draw FROM gold.customer_features
        WHERE contracts_active > 0 AND toDayOfWeek(day) = 7 AND day <= addDays({upto:Date}, -{horizon:UInt16})
            AND day >= addDays({upto:Date}, -{memory:UInt16})
            AND day >= (SELECT min(day) FROM gold.customer_actions_daily WHERE action = 'contact')
            AND (draw < {stayed:UInt32} OR customer_id IN (SELECT customer_id FROM gold.customer_actions_daily WHERE action = 'contract_ended'))
    ) AS features
    LEFT JOIN
    (
        SELECT DISTINCT snapshots.day AS day, actions.customer_id AS customer_id
        FROM (SELECT customer_id, day AS ended_on FROM gold.customer_actions_daily WHERE action = 'contract_ended') AS actions
        CROSS JOIN (SELECT DISTINCT day FROM gold.customer_features) AS snapshots
        WHERE actions.ended_on > snapshots.day AND actions.ended_on <= addDays(snapshots.day, {horizon:UInt16})
    ) AS ended ON ended.day = features.day AND ended.customer_id = features.customer_id
)
WHERE draw < if(churned, {left:UInt32}, {stayed:UInt32})
ORDER BY snapshot, customer
SETTINGS join_use_nulls = 1
