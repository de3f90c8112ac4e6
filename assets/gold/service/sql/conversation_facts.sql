SELECT
    conversations.day AS day,
    conversations.conversation_id AS conversation_id,
    conversations.customer_id AS customer_id,
    conversations.number_id AS number_id,
    conversations.channel AS channel,
    conversations.queue AS queue,
    conversations.agent_id AS agent_id,
    conversations.priority AS priority,
    conversations.state AS state,
    conversations.opened_at AS opened_at,
    talk.first_customer_message_at AS first_customer_message_at,
    talk.first_response_at AS first_response_at,
    (toUnixTimestamp64Micro(first_response_at) - toUnixTimestamp64Micro(first_customer_message_at)) / 1e6 AS first_response_seconds,
    talk.first_answer_at AS first_answer_at,
    (toUnixTimestamp64Micro(first_answer_at) - toUnixTimestamp64Micro(first_customer_message_at)) / 1e6 AS first_answer_seconds,
    talk.messages_in AS messages_in,
    talk.messages_out AS messages_out,
    talk.messages_person AS messages_person,
    talk.last_message_at AS last_message_at,
    conversations.queued_at AS queued_at,
    conversations.resolved_at AS resolved_at,
    conversations.resolved_at IS NOT NULL AND conversations.state IN ('resolved', 'closed') AS is_resolved,
    if(is_resolved, (toUnixTimestamp64Micro(conversations.resolved_at) - toUnixTimestamp64Micro(conversations.opened_at)) / 1e6, NULL) AS resolution_seconds,
    conversations.queue = '' AND talk.messages_person = 0 AS is_bot_only,
    conversations.reopened_count AS reopened_count,
    conversations.satisfaction AS satisfaction
FROM (SELECT * FROM silver.conversations WHERE day IN {days:Array(Date)}) AS conversations
LEFT JOIN
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
        length(by_person) AS messages_person,
        maxOrNullIf(sent_at, counts) AS last_message_at
    FROM silver.messages
    WHERE conversation_id IN (SELECT conversation_id FROM silver.conversations WHERE day IN {days:Array(Date)})
    GROUP BY conversation_id
) AS talk ON talk.conversation_id = conversations.conversation_id
ORDER BY day
