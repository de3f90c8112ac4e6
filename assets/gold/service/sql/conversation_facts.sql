-- days: the business days; sla_first_response_s, sla_resolution_s: the promises, seconds. Business time is B(until) - B(since)
-- where B(t) is the open time of all days before t's, and of its own day up to t, in microseconds.
WITH
    (before, opens, closes, at) -> toInt64(before) * 1000000
        + least(greatest(toUnixTimestamp64Micro(at) - toInt64(toUnixTimestamp(opens)) * 1000000, 0), (toInt64(toUnixTimestamp(closes)) - toInt64(toUnixTimestamp(opens))) * 1000000) AS B,
    calendar AS (SELECT day, open_seconds_before AS before, opens_at AS opens, closes_at AS closes FROM gold.business_calendar),
    talks AS (SELECT * FROM silver.conversations WHERE day IN {days:Array(Date)}),
    people AS  -- what was known of the customer when the day ended
    (
        SELECT
            talks.conversation_id AS conversation_id,
            argMaxIf(told.state_code, told.event_time, told.state_code != '') AS state_code,
            argMaxIf(told.plan, told.event_time, told.plan != '') AS plan
        FROM (SELECT day, conversation_id, customer_id FROM talks) AS talks
        INNER JOIN
        (
            SELECT day, event_time, assumeNotNull(customer_id) AS customer_id, toString(state_code) AS state_code, toString(plan) AS plan
            FROM bronze.events
            WHERE conversation_id = toUUID('00000000-0000-0000-0000-000000000000') AND day <= {last:Date}
                AND type IN ('customer.created', 'customer.corrected', 'business.recorded') AND (state_code != '' OR plan != '')
                AND customer_id IN (SELECT customer_id FROM talks)
        ) AS told ON told.customer_id = talks.customer_id
        WHERE told.day <= talks.day
        GROUP BY conversation_id
    ),
    work AS  -- its stays in a queue and with an agent, and its hand-overs
    (
        SELECT
            conversation_id,
            countIf(state = 'queued') > 0 AS waited,
            sumOrNullIf(span, state = 'queued' AND has_ended) AS wait,
            sumOrNullIf(business, state = 'queued' AND has_ended) AS wait_business,
            sumOrNullIf(span, state = 'assigned' AND has_ended) AS handling,
            sumOrNullIf(business, state = 'assigned' AND has_ended) AS handling_business,
            countIf((previous_state IN ('assigned', 'waiting_customer') AND state = 'queued')
                OR (previous_holder_id IS NOT NULL AND holder_id IS NOT NULL AND previous_holder_id != holder_id)
                OR (previous_state = 'queued' AND state = 'queued' AND previous_queue != queue)) AS transfers
        FROM
        (
            SELECT
                steps.*,
                toUnixTimestamp64Micro(until) - toUnixTimestamp64Micro(since) AS span,
                B(ends.before, ends.opens, ends.closes, until) - B(starts.before, starts.opens, starts.closes, since) AS business
            FROM
            (
                SELECT
                    conversation_id, state, previous_state, queue, previous_queue, holder_id, previous_holder_id, at AS since,
                    leadInFrame(toNullable(at)) OVER later AS next_at,
                    next_at IS NOT NULL AS has_ended,
                    greatest(ifNull(next_at, at), at) AS until
                FROM silver.conversation_states
                WHERE conversation_id IN (SELECT conversation_id FROM talks)
                WINDOW later AS (PARTITION BY conversation_id ORDER BY version ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)
            ) AS steps
            LEFT JOIN calendar AS starts ON starts.day = toDate(since, {timezone:String})
            LEFT JOIN calendar AS ends ON ends.day = toDate(until, {timezone:String})
        )
        GROUP BY conversation_id
    ),
    talk AS
    (
        SELECT
            conversation_id,
            minOrNullIf(sent_at, direction = 'in') AS first_customer_message_at,
            groupArrayIf(sent_at, author IN ('agent', 'phone_app') AND counts) AS by_person,
            groupArrayIf(sent_at, direction = 'out' AND author != 'campaign' AND counts) AS by_anyone,
            arrayFilter(at -> at >= first_customer_message_at, by_person) AS responses,
            arrayFilter(at -> at >= first_customer_message_at, by_anyone) AS answers,
            if(empty(responses), NULL, arrayMin(responses)) AS first_response_at,
            if(empty(answers), NULL, arrayMin(answers)) AS first_answer_at,
            countIf(direction = 'in') AS messages_in,
            countIf(direction = 'out' AND counts) AS messages_out,
            countIf(author = 'bot' AND counts) AS messages_bot,
            length(by_person) AS messages_person,
            maxOrNullIf(sent_at, counts) AS last_message_at,
            argMaxIf(toString(cost_currency), (sent_at, message_id), cost_currency != '') AS last_currency,
            sumMapIf([toString(cost_currency)], [ifNull(cost_micros, 0)], cost_micros > 0 AND state IN ('delivered', 'read', 'played')) AS costs
        FROM silver.messages
        WHERE conversation_id IN (SELECT conversation_id FROM talks)
        GROUP BY conversation_id
    ),
    earlier AS
    (
        SELECT conversation_id, resolved_at FROM silver.conversations
        WHERE resolved_at IS NOT NULL AND conversation_id IN (SELECT previous_id FROM talks WHERE previous_id IS NOT NULL)
    )
SELECT
    talks.day AS day,
    talks.conversation_id AS conversation_id,
    talks.customer_id AS customer_id,
    talks.number_id AS number_id,
    talks.channel AS channel,
    talks.queue AS queue,
    talks.agent_id AS agent_id,
    talks.priority AS priority,
    talks.state AS state,
    talks.opened_at AS opened_at,
    talk.first_customer_message_at AS first_customer_message_at,
    talk.first_response_at AS first_response_at,
    (toUnixTimestamp64Micro(first_response_at) - toUnixTimestamp64Micro(first_customer_message_at)) / 1e6 AS first_response_seconds,
    talk.first_answer_at AS first_answer_at,
    (toUnixTimestamp64Micro(first_answer_at) - toUnixTimestamp64Micro(first_customer_message_at)) / 1e6 AS first_answer_seconds,
    talk.messages_in AS messages_in,
    talk.messages_out AS messages_out,
    talk.messages_person AS messages_person,
    talk.last_message_at AS last_message_at,
    talks.queued_at AS queued_at,
    talks.resolved_at AS resolved_at,
    talks.resolved_at IS NOT NULL AND talks.state IN ('resolved', 'closed') AS is_resolved,
    if(is_resolved, (toUnixTimestamp64Micro(talks.resolved_at) - toUnixTimestamp64Micro(talks.opened_at)) / 1e6, NULL) AS resolution_seconds,
    talks.queue = '' AND talk.messages_person = 0 AS is_bot_only,
    talks.reopened_count AS reopened_count,
    talks.satisfaction AS satisfaction,
    talks.nps AS nps,
    toDateTime(toStartOfHour(toTimeZone(talks.opened_at, {timezone:String})), 'UTC') AS hour,
    people.state_code AS state_code,
    transform(toString(people.state_code),
        ['AC', 'AP', 'AM', 'PA', 'RO', 'RR', 'TO', 'AL', 'BA', 'CE', 'MA', 'PB', 'PE', 'PI', 'RN', 'SE', 'DF', 'GO', 'MT', 'MS', 'ES', 'MG', 'RJ', 'SP', 'PR', 'RS', 'SC'],
        ['Norte', 'Norte', 'Norte', 'Norte', 'Norte', 'Norte', 'Norte', 'Nordeste', 'Nordeste', 'Nordeste', 'Nordeste', 'Nordeste', 'Nordeste', 'Nordeste', 'Nordeste',
            'Nordeste', 'Centro-Oeste', 'Centro-Oeste', 'Centro-Oeste', 'Centro-Oeste', 'Sudeste', 'Sudeste', 'Sudeste', 'Sudeste', 'Sul', 'Sul', 'Sul'],
        '') AS region,
    people.plan AS plan,
    talks.previous_id AS previous_id,
    if(earlier.resolved_at <= talks.opened_at AND earlier.resolved_at >= talks.opened_at - INTERVAL 168 HOUR, talks.previous_id, NULL) AS repeats_id,
    if(first_response_at IS NULL, NULL,
        (B(answered.before, answered.opens, answered.closes, first_response_at) - B(asked.before, asked.opens, asked.closes, first_customer_message_at)) / 1e6) AS first_response_business_seconds,
    if(is_resolved,
        greatest(0, B(solved.before, solved.opens, solved.closes, talks.resolved_at) - B(begun.before, begun.opens, begun.closes, talks.opened_at)) / 1e6, NULL) AS resolution_business_seconds,
    work.wait / 1e6 AS wait_seconds,
    work.wait_business / 1e6 AS wait_business_seconds,
    work.handling / 1e6 AS handling_seconds,
    work.handling_business / 1e6 AS handling_business_seconds,
    work.transfers AS transfers,
    work.waited AND talk.messages_person = 0 AND talks.state IN ('resolved', 'closed') AS is_abandoned,
    talk.messages_in > 0 AND talks.state IN ('resolved', 'closed') AND NOT work.waited AND talk.messages_person = 0 AS is_contained,
    talk.messages_bot AS messages_bot,
    talk.costs.2[indexOf(talk.costs.1, talk.last_currency)] AS cost_micros,
    talk.last_currency AS cost_currency,
    multiIf(
        talk.messages_in = 0, NULL,
        first_response_business_seconds IS NOT NULL, first_response_business_seconds <= {sla_first_response_s:UInt32},
        is_abandoned, false,
        NULL) AS sla_first_response_kept,
    if(is_resolved AND talk.messages_in > 0, resolution_seconds <= {sla_resolution_s:UInt32}, NULL) AS sla_resolution_kept
FROM talks
LEFT JOIN talk ON talk.conversation_id = talks.conversation_id
LEFT JOIN work ON work.conversation_id = talks.conversation_id
LEFT JOIN people ON people.conversation_id = talks.conversation_id
LEFT JOIN earlier ON earlier.conversation_id = ifNull(talks.previous_id, toUUID('00000000-0000-0000-0000-000000000000'))
LEFT JOIN calendar AS asked ON asked.day = toDate(ifNull(talk.first_customer_message_at, talks.opened_at), {timezone:String})
LEFT JOIN calendar AS answered ON answered.day = toDate(ifNull(talk.first_response_at, talks.opened_at), {timezone:String})
LEFT JOIN calendar AS begun ON begun.day = toDate(talks.opened_at, {timezone:String})
LEFT JOIN calendar AS solved ON solved.day = toDate(ifNull(talks.resolved_at, talks.opened_at), {timezone:String})
ORDER BY day
