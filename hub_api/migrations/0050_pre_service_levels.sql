-- What the API's processes have counted of themselves, by the hour: availability and response times against their targets,
-- also where nobody runs a Prometheus.
SET lock_timeout = '5s';

CREATE TABLE service_levels (
    hour timestamptz PRIMARY KEY,
    requests bigint NOT NULL CHECK (requests >= 0),           -- http_requests_total
    failures bigint NOT NULL CHECK (failures BETWEEN 0 AND requests),  -- of those, answered with 5xx
    bounds double precision[] NOT NULL,                       -- of http_request_duration_seconds, seconds, without infinity
    counts bigint[] NOT NULL,                                 -- answers up to each bound and above the one before; the last: above all
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK (cardinality(counts) = cardinality(bounds) + 1)
);
