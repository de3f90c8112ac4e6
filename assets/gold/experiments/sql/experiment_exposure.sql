-- Per experiment and day: messages sent and arrived by variant, and customers who on that day were first seen in a second arm
-- (assigned anew, or written to in another variant); the last have the variant they were assigned to. Costs are by how much each
-- day changed them: the price of a message counts from when it has arrived and its price was told, the last one told by then.
WITH
    campaigns AS
    (
        SELECT DISTINCT assumeNotNull(campaign_id) AS campaign_id, assumeNotNull(experiment_id) AS experiment_id
        FROM bronze.events
        WHERE type = 'experiment.planned' AND experiment_id IN {experiments:Array(UUID)} AND campaign_id IS NOT NULL
    ),
    sends AS
    (
        SELECT campaigns.experiment_id AS experiment_id, sent.aggregate_id AS message_id, assumeNotNull(sent.customer_id) AS customer_id,
            sent.variant AS variant, sent.day AS day
        FROM bronze.events AS sent
        INNER JOIN campaigns ON campaigns.campaign_id = assumeNotNull(sent.campaign_id)
        WHERE sent.type = 'message.queued' AND sent.campaign_id IS NOT NULL AND sent.day BETWEEN {since:Date} AND {last:Date}
    ),
    arrivals AS
    (
        SELECT events.aggregate_id AS message_id, min(events.day) AS day
        FROM bronze.events AS events
        WHERE events.type = 'message.state_changed' AND events.to_state IN ('delivered', 'read', 'played') AND events.day BETWEEN {since:Date} AND {last:Date}
            AND events.aggregate_id IN (SELECT message_id FROM sends)
        GROUP BY message_id
    ),
    prices AS
    (
        SELECT aggregate_id AS message_id, day, max(aggregate_version) AS version, argMax(assumeNotNull(cost_micros), aggregate_version) AS told,
            argMax(cost_currency, aggregate_version) AS currency
        FROM bronze.events
        WHERE type IN ('message.state_changed', 'message.priced') AND cost_micros IS NOT NULL AND day BETWEEN {since:Date} AND {last:Date}
            AND aggregate_id IN (SELECT message_id FROM sends)
        GROUP BY message_id, day
    ),
    -- Where a day's news are older than what was known before (they came late), what was known stays.
    known AS
    (
        SELECT message_id, day, currency, argMax(told, version) OVER (PARTITION BY message_id ORDER BY day) AS price FROM prices
    ),
    owed AS
    (
        SELECT arrivals.message_id AS message_id, greatest(arrivals.day, known.day) AS day, argMax(known.price, known.day) AS price,
            max(known.currency) AS currency
        FROM known INNER JOIN arrivals ON arrivals.message_id = known.message_id
        GROUP BY message_id, day
    ),
    charges AS
    (
        SELECT message_id, day, currency,
            price - lagInFrame(price, 1, toInt64(0)) OVER (PARTITION BY message_id ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS change
        FROM owed
    ),
    seen AS
    (
        SELECT experiment_id, customer_id, variant, day FROM sends
        UNION ALL
        SELECT assumeNotNull(experiment_id), assumeNotNull(customer_id), variant, day
        FROM bronze.events
        WHERE type = 'experiment.assigned' AND experiment_id IN {experiments:Array(UUID)} AND customer_id IS NOT NULL AND day <= {last:Date}
    ),
    crossings AS
    (
        SELECT people.experiment_id AS experiment_id, people.variant AS variant, people.customer_id AS customer_id,
            greatest(min(seen.day), any(people.day)) AS day
        FROM gold.experiment_assignments AS people
        INNER JOIN seen ON seen.experiment_id = people.experiment_id AND seen.customer_id = people.customer_id
        WHERE seen.variant != people.variant AND people.day <= {last:Date}
        GROUP BY experiment_id, variant, customer_id
    )
SELECT experiment_id, day, variant, sum(sent) AS messages_sent, sum(arrived) AS messages_arrived, sum(crossed) AS customers_crossed,
    sum(charged) AS cost_micros, max(currency) AS cost_currency
FROM
(
    SELECT experiment_id, day, variant, 1 AS sent, 0 AS arrived, 0 AS crossed, toInt64(0) AS charged, '' AS currency FROM sends
    UNION ALL
    SELECT sends.experiment_id, arrivals.day, sends.variant, 0, 1, 0, 0, ''
    FROM sends INNER JOIN arrivals ON arrivals.message_id = sends.message_id
    UNION ALL
    SELECT experiment_id, day, variant, 0, 0, 1, 0, '' FROM crossings
    UNION ALL
    SELECT sends.experiment_id, charges.day, sends.variant, 0, 0, 0, charges.change, toString(charges.currency)
    FROM sends INNER JOIN charges ON charges.message_id = sends.message_id
)
GROUP BY experiment_id, day, variant
ORDER BY experiment_id, day, variant
