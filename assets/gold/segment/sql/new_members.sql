-- The members found now ({found}, one SELECT with key and customer_id), each with the day since when he has been in it.
SELECT
    toUUID(found.key) AS segment_id,
    found.customer_id AS customer_id,
    if(known.entered_on = toDate(0), transform(found.key, {ids:Array(String)}, {versions:Array(UInt32)}, toUInt32(0)), known.version) AS version,
    if(known.entered_on = toDate(0), {as_of:Date}, known.entered_on) AS entered_on
FROM ({found}) AS found
LEFT JOIN (SELECT * FROM gold.segment_membership WHERE segment_id IN {batch:Array(UUID)}) AS known
    ON known.segment_id = toUUID(found.key) AND known.customer_id = found.customer_id
