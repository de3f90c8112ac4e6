-- Customers' messages of these days that this version of the models has not read as they stand.
SELECT day, message_id, conversation_id, customer_id, sent_at, version, content
FROM silver.messages
WHERE day IN {days:Array(Date)} AND author = 'customer' AND revoked_at IS NULL AND trimBoth(ifNull(content, '')) != ''
    AND (message_id, version) NOT IN (
        SELECT message_id, message_version FROM gold.message_sentiment WHERE day IN {days:Array(Date)} AND model = {model:String})
