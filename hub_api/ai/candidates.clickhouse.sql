-- Which messages are worth a label. A message is in the random pool by a hash of its id, so that what the model is unsure of
-- never thins that pool out: only there does agreement say how good the model is.

-- name: random  -- {first}, {pool} of a hundred, {limit} -> message_id, in an order that has nothing to do with the words
SELECT message_id FROM gold.message_sentiment
WHERE day >= {first:Date} AND customer_id IS NOT NULL AND cityHash64(message_id, 'pool') % 100 < {pool:UInt8}
    AND message_id NOT IN (SELECT aggregate_id FROM raw.events WHERE type = 'message.labelled' AND event_time >= toDateTime({first:Date}, 'UTC'))
ORDER BY cityHash64(message_id, 'order'), message_id LIMIT {limit:UInt32};

-- name: uncertain  -- {first}, {pool}, {limit} -> message_id, that whose likeliest class is least likely first
SELECT message_id FROM gold.message_sentiment
WHERE day >= {first:Date} AND customer_id IS NOT NULL AND cityHash64(message_id, 'pool') % 100 >= {pool:UInt8}
    AND message_id NOT IN (SELECT aggregate_id FROM raw.events WHERE type = 'message.labelled' AND event_time >= toDateTime({first:Date}, 'UTC'))
ORDER BY greatest(negative, neutral, positive, mixed), message_id LIMIT {limit:UInt32};
