-- Contacts per hour: conversations in which the customer wrote, by their last queue and by the state of the customer.
SELECT {dimension:String} AS dimension, if({dimension:String} = 'queue', toString(queue), toString(state_code)) AS key, hour, count() AS contacts
FROM gold.conversation_facts
WHERE day BETWEEN addDays({last:Date}, -{memory:UInt16}) AND {last:Date} AND first_customer_message_at IS NOT NULL
GROUP BY key, hour
ORDER BY key, hour
