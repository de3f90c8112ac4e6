-- name: fingerprint  -- {from}, {to} -> count, hash as text: as in archive.sql; /*table*/ is raw.events or a table like it
SELECT count(), toString(sum(toInt128(reinterpretAsInt64(reverse(substring(MD5(concatWithSeparator('|',
    toString(id), type, aggregate_type, toString(aggregate_id), toString(aggregate_version),
    toString(toUnixTimestamp64Micro(occurred_at)), toString(toUnixTimestamp64Micro(recorded_at)), trace_id, toString(xid), toString(seq), payload
)), 1, 8))))))
FROM /*table*/
WHERE recorded_at >= {from:DateTime64(6, 'UTC')} AND recorded_at < {to:DateTime64(6, 'UTC')};

-- name: days  -- {from}, {to}, {timezone} -> business days on which the events recorded then happened
SELECT DISTINCT toString(toDate(event_time, {timezone:String})) AS day
FROM raw.events
WHERE recorded_at >= {from:DateTime64(6, 'UTC')} AND recorded_at < {to:DateTime64(6, 'UTC')}
ORDER BY day;

-- name: rows  -- {from}, {to} -> them as COPY takes them, in the order of /*columns*/
SELECT /*columns*/ FROM /*table*/
WHERE recorded_at >= {from:DateTime64(6, 'UTC')} AND recorded_at < {to:DateTime64(6, 'UTC')}
ORDER BY xid, seq;
