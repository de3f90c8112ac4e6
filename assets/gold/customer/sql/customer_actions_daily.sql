-- A contact is a conversation in which the customer wrote, on the day of its opening. It is technical when its queue is the
-- support's, or when the customer's words in it tell of a connection that fails. A reply to a campaign is the customer's first
-- message within 72 hours after the newest campaign message that reached him. What a merge moved is found by `moved`.
WITH
    moved AS (SELECT customer_id, lives_as FROM silver.customers WHERE lives_as != customer_id),
    facts AS (SELECT * FROM gold.conversation_facts WHERE day IN {days:Array(Date)} AND first_customer_message_at IS NOT NULL),
    technical AS
    (
        SELECT conversation_id FROM silver.messages
        WHERE direction = 'in' AND day >= {first:Date} AND conversation_id IN (SELECT conversation_id FROM facts)
            AND match(removeDiacriticsUTF8(lowerUTF8(ifNull(content, ''))),
                '\\b(sem (sinal|internet|net|rede|conexao|wi-?fi)|sinal|internet (ruim|lenta|caindo|caiu|nao|parou|travando)|net (ruim|lenta|caindo|caiu|nao)|caiu|caindo|queda|quedas|oscil\\w*|lent[ao]|lentidao|trav(a|ando|ou)|modem|roteador|onu|luz vermelha|los|fora do ar|instavel|nao (conecta|funciona|navega|carrega)|ping)\\b')
        GROUP BY conversation_id
    ),
    campaigns AS
    (
        SELECT
            message_id, customer_id, template,
            if(delivered_at IS NULL OR read_at < delivered_at, read_at, delivered_at) AS received_at,
            read_at
        FROM silver.messages
        WHERE author = 'campaign' AND state IN ('delivered', 'read', 'played')
            AND day BETWEEN addDays({first:Date}, -30) AND {last:Date}
    ),
    replies AS
    (
        SELECT any(customer_id) AS customer_id, any(template) AS template, min(answered_at) AS replied_at
        FROM
        (
            SELECT inbound.sent_at AS answered_at, sent.message_id AS message_id, sent.customer_id AS customer_id,
                sent.template AS template, sent.received_at AS received_at
            FROM (
                SELECT customer_id, sent_at FROM silver.messages
                WHERE direction = 'in' AND day BETWEEN addDays({first:Date}, -3) AND {last:Date}
            ) AS inbound
            ASOF INNER JOIN (SELECT * FROM campaigns WHERE received_at IS NOT NULL) AS sent
                ON sent.customer_id = inbound.customer_id AND assumeNotNull(sent.received_at) <= inbound.sent_at
        )
        WHERE answered_at <= received_at + INTERVAL 72 HOUR
        GROUP BY message_id
    )
SELECT
    toDate(at, {timezone:String}) AS day,
    if(moved.lives_as = toUUID('00000000-0000-0000-0000-000000000000'), told.customer_id, moved.lives_as) AS customer_id,
    action,
    detail,
    count() AS actions,
    sum(amount) AS value,
    min(at) AS first_at,
    max(at) AS last_at
FROM
(
    SELECT customer_id, 'message' AS action, toString(type) AS detail, 0. AS amount, sent_at AS at
    FROM silver.messages WHERE day IN {days:Array(Date)} AND direction = 'in'
    UNION ALL
    SELECT assumeNotNull(customer_id), concat('message_', label), '', toFloat64(abs(score)), sent_at
    FROM gold.message_sentiment WHERE day IN {days:Array(Date)} AND customer_id IS NOT NULL
    UNION ALL
    SELECT customer_id, 'contact', toString(queue), 0., opened_at FROM facts
    UNION ALL
    SELECT customer_id, 'technical_contact', toString(queue), 0., opened_at FROM facts
    WHERE conversation_id IN (SELECT conversation_id FROM technical) OR match(queue, '^(suporte|tecnic)')
    UNION ALL
    SELECT customer_id, 'answered', toString(queue), assumeNotNull(first_response_seconds), opened_at FROM facts
    WHERE first_response_seconds IS NOT NULL
    UNION ALL
    SELECT assumeNotNull(customer_id), if(to_state = 'resolved', 'resolved', 'reopened'), '', 0., event_time FROM bronze.events
    WHERE day IN {days:Array(Date)} AND type = 'conversation.state_changed' AND customer_id IS NOT NULL
        AND (to_state = 'resolved' OR (from_state = 'resolved' AND to_state IN ('bot', 'queued', 'assigned')))
    UNION ALL
    SELECT customer_id, 'rated', '', toFloat64(assumeNotNull(satisfaction)), assumeNotNull(rated_at) FROM silver.conversations
    WHERE satisfaction IS NOT NULL AND toDate(assumeNotNull(rated_at), {timezone:String}) IN {days:Array(Date)} AND day <= {last:Date}
    UNION ALL
    SELECT customer_id, 'campaign_received', toString(template), 0., assumeNotNull(received_at) FROM campaigns
    WHERE received_at IS NOT NULL AND toDate(assumeNotNull(received_at), {timezone:String}) IN {days:Array(Date)}
    UNION ALL
    SELECT customer_id, 'campaign_read', toString(template), 0., assumeNotNull(read_at) FROM campaigns
    WHERE read_at IS NOT NULL AND toDate(assumeNotNull(read_at), {timezone:String}) IN {days:Array(Date)}
    UNION ALL
    SELECT customer_id, 'campaign_replied', toString(template), 0., replied_at FROM replies
    WHERE toDate(replied_at, {timezone:String}) IN {days:Array(Date)}
    UNION ALL
    SELECT assumeNotNull(customer_id), if(assumeNotNull(granted), 'opt_in', 'opt_out'), toString(scope), 0., event_time FROM bronze.events
    WHERE day IN {days:Array(Date)} AND type = 'consent.changed' AND customer_id IS NOT NULL AND granted IS NOT NULL
    UNION ALL
    SELECT assumeNotNull(customer_id), 'ticket_opened', toString(kind), 0., opened_at FROM silver.service_tickets
    WHERE customer_id IS NOT NULL AND toDate(opened_at, {timezone:String}) IN {days:Array(Date)}
    UNION ALL
    SELECT assumeNotNull(customer_id), 'invoice_late', '', toFloat64(amount_micros), toDateTime64(addDays(due_on, 1), 6, {timezone:String})
    FROM silver.invoices
    WHERE customer_id IS NOT NULL AND status != 'cancelled' AND addDays(due_on, 1) IN {days:Array(Date)}
        AND (settled_at IS NULL OR toDate(assumeNotNull(settled_at), {timezone:String}) > due_on)
    UNION ALL
    SELECT assumeNotNull(customer_id), 'payment', '', toFloat64(amount_micros), assumeNotNull(settled_at) FROM silver.invoices
    WHERE customer_id IS NOT NULL AND settled_at IS NOT NULL AND toDate(assumeNotNull(settled_at), {timezone:String}) IN {days:Array(Date)}
    UNION ALL
    SELECT assumeNotNull(customer_id), 'contract_started', plan_id, 0., toDateTime64(started_on, 6, {timezone:String}) FROM silver.contracts
    WHERE customer_id IS NOT NULL AND started_on IN {days:Array(Date)}
    UNION ALL
    SELECT assumeNotNull(customer_id), 'contract_ended', plan_id, 0., toDateTime64(assumeNotNull(ended_on), 6, {timezone:String}) FROM silver.contracts
    WHERE customer_id IS NOT NULL AND ended_on IN {days:Array(Date)}
    UNION ALL
    SELECT DISTINCT assumeNotNull(contracts.customer_id), 'outage', toString(outages.service), 0., outages.started_at
    FROM silver.contracts AS contracts
    INNER JOIN (SELECT * FROM silver.outages WHERE toDate(started_at, {timezone:String}) IN {days:Array(Date)}) AS outages
        ON outages.region_code = contracts.region_code
    WHERE contracts.customer_id IS NOT NULL
        AND contracts.started_on <= toDate32(outages.started_at) AND (contracts.ended_on IS NULL OR contracts.ended_on >= toDate32(outages.started_at))
        AND (outages.service IN ('all', contracts.plan_kind) OR contracts.plan_kind = 'combo' OR startsWith(contracts.plan_kind, outages.service))
) AS told
LEFT JOIN moved ON moved.customer_id = told.customer_id
WHERE told.customer_id IN (SELECT customer_id FROM silver.customers)
GROUP BY day, customer_id, action, detail
ORDER BY day, action, customer_id
