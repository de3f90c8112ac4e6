-- Two workers that need the same month: who waited for the lock still saw the catalogue of before, and failed with
-- "relation already exists". IF NOT EXISTS looks again.
SET lock_timeout = '5s';

CREATE OR REPLACE FUNCTION ensure_partitions(parent text, from_month date, to_month date) RETURNS int
LANGUAGE plpgsql
AS $$
DECLARE
    month date := date_trunc('month', from_month)::date;
    partition text;
    made int := 0;
BEGIN
    WHILE month <= to_month LOOP
        partition := parent || '_' || to_char(month, 'YYYYMM');
        IF to_regclass(partition) IS NULL THEN
            PERFORM pg_advisory_xact_lock(hashtext('ensure_partitions:' || parent));
            IF to_regclass(partition) IS NULL THEN
                EXECUTE format(
                    'CREATE TABLE IF NOT EXISTS %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
                    partition, parent,
                    to_char(month, 'YYYY-MM-01') || ' 00:00:00+00',
                    to_char(month + interval '1 month', 'YYYY-MM-01') || ' 00:00:00+00');
                made := made + 1;
            END IF;
        END IF;
        month := (month + interval '1 month')::date;
    END LOOP;
    RETURN made;
END
$$;
