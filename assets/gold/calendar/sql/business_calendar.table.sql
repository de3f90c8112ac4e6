CREATE TABLE IF NOT EXISTS gold.business_calendar /*ON CLUSTER*/
(
    day Date COMMENT 'Day (HUB_TIMEZONE)',
    holiday String COMMENT 'Brazilian holiday of the day, national or of HUB_HOLIDAY_STATE; empty for none',
    opens_at DateTime('UTC') COMMENT 'Service opens, UTC; equal to closes_at on a closed day',
    closes_at DateTime('UTC') COMMENT 'Service closes, UTC',
    open_seconds UInt32 COMMENT 'Business time of the day, seconds',
    open_seconds_before UInt64 COMMENT 'Business time of all earlier days of the calendar, seconds'
)
ENGINE = /*Replicated*/MergeTree
ORDER BY day
COMMENT 'Hours of service by day. Business time at t: open_seconds_before of its day + the part of [opens_at, closes_at) before t; between two times: the difference';
