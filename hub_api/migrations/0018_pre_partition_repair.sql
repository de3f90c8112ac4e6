-- Rows that fell into DEFAULT because nobody made their month in time forbid to make it afterwards ("updated partition
-- constraint for default partition would be violated"), and whoever needs that month fails for ever. So the month is
-- made beside the table, takes its rows along, and is attached. Waiting for the locks must not stop everybody else.
SET lock_timeout = '5s';

CREATE OR REPLACE FUNCTION ensure_partitions(parent text, from_month date, to_month date) RETURNS int
LANGUAGE plpgsql
SET lock_timeout = '5s'
AS $$
DECLARE
    month date := date_trunc('month', from_month)::date;
    partition text;
    low text;
    high text;
    strays boolean;
    made int := 0;
    of_default regclass := (parent || '_default')::regclass;
    by_column text := (
        SELECT a.attname FROM pg_partitioned_table p JOIN pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = p.partattrs[0]
        WHERE p.partrelid = parent::regclass
    );
    columns text := (
        SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
        WHERE attrelid = parent::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
    );
BEGIN
    WHILE month <= to_month LOOP
        partition := parent || '_' || to_char(month, 'YYYYMM');
        IF to_regclass(partition) IS NULL THEN
            PERFORM pg_advisory_xact_lock(hashtext('ensure_partitions:' || parent));
            low := to_char(month, 'YYYY-MM-01') || ' 00:00:00+00';
            high := to_char(month + interval '1 month', 'YYYY-MM-01') || ' 00:00:00+00';
            EXECUTE format('SELECT EXISTS (SELECT FROM %s WHERE %I >= %L AND %I < %L)', of_default, by_column, low, by_column, high)
                INTO strays;
            IF to_regclass(partition) IS NOT NULL THEN
                NULL;  -- somebody else made it while we waited
            ELSIF strays THEN
                EXECUTE format('LOCK TABLE %I, %s IN ACCESS EXCLUSIVE MODE', parent, of_default);
                EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING GENERATED INCLUDING CONSTRAINTS)', partition, parent);
                EXECUTE format(
                    'WITH moved AS (DELETE FROM %s WHERE %I >= %L AND %I < %L RETURNING %s) INSERT INTO %I (%s) SELECT %s FROM moved',
                    of_default, by_column, low, by_column, high, columns, partition, columns, columns);
                EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, partition, low, high);
                made := made + 1;
            ELSE
                EXECUTE format('CREATE TABLE IF NOT EXISTS %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)', partition, parent, low, high);
                made := made + 1;
            END IF;
        END IF;
        month := (month + interval '1 month')::date;
    END LOOP;
    RETURN made;
END
$$;
