-- Extensions, helper functions and the tables that everything refers to: who we are, which numbers we own.
SET lock_timeout = '5s';

CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS unaccent;
CREATE EXTENSION IF NOT EXISTS vector;

-- Generated columns and indexes need immutable expressions; unaccent() is only STABLE because its dictionary could be
-- replaced, which we never do.
CREATE FUNCTION immutable_unaccent(text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
AS $$ SELECT public.unaccent('public.unaccent'::regdictionary, $1) $$;

-- Stems need their accents: without them the stemmer parts instalação from instalações. The simple tokens beside them,
-- without accents, find names, codes and protocol numbers, and serve who types without accents. Every function is named
-- with its schema: pg_dump restores with an empty search_path.
CREATE FUNCTION search_vector(content text) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT to_tsvector('pg_catalog.portuguese', left(coalesce(content, ''), 20000))
        || to_tsvector('pg_catalog.simple', public.immutable_unaccent(left(coalesce(content, ''), 20000)))
$$;

-- Months of a partitioned table, made ahead. Rows outside any month go to DEFAULT, where only the two sentinel dates
-- (1970-01-01 and 2100-01-01, for absurd payload times) belong.
-- Rows that fell into DEFAULT because nobody made their month in time forbid to make it afterwards ("updated partition
-- constraint for default partition would be violated"), and whoever needs that month fails for ever. So the month is
-- made beside the table, takes its rows along, and is attached. Waiting for the locks must not stop everybody else.
CREATE FUNCTION ensure_partitions(parent text, from_month date, to_month date) RETURNS int
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

CREATE FUNCTION touch_updated_at() RETURNS trigger
LANGUAGE plpgsql
AS $$ BEGIN NEW.updated_at := now(); RETURN NEW; END $$;

CREATE TABLE users (
    id uuid PRIMARY KEY,
    email text NOT NULL,
    name text NOT NULL,
    role text NOT NULL DEFAULT 'agent' CHECK (role IN ('admin', 'supervisor', 'agent', 'marketer', 'analyst', 'executive')),
    active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX users_email ON users (lower(email));

-- Programs and the first operator come in by key; only its SHA-256 is kept.
CREATE TABLE api_keys (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    key_sha256 bytea NOT NULL UNIQUE CHECK (octet_length(key_sha256) = 32),
    scopes text[] NOT NULL DEFAULT '{}',
    user_id uuid REFERENCES users,
    expires_at timestamptz,
    revoked_at timestamptz,
    last_used_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE whatsapp_accounts (
    id uuid PRIMARY KEY,
    waba_id text NOT NULL UNIQUE,
    portfolio_id text NOT NULL,
    name text NOT NULL,
    token_encrypted bytea NOT NULL,
    state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'paused', 'restricted', 'disabled')),
    state_reason text,
    paused_until timestamptz,
    held_categories text[] NOT NULL DEFAULT '{}',
    held_until timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE whatsapp_numbers (
    id uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES whatsapp_accounts,
    phone_number_id text NOT NULL UNIQUE,
    display_phone_number text NOT NULL,
    verified_name text,
    state text NOT NULL DEFAULT 'connected' CHECK (state IN ('connected', 'limited', 'paused', 'restricted', 'offline')),
    state_reason text,
    paused_until timestamptz,
    -- Categories that may not go until `held_until` (spam restriction: no marketing), while others still may. Both this
    -- and `paused_until` end by themselves; a pause without an end is lifted by a person.
    held_categories text[] NOT NULL DEFAULT '{}',
    held_until timestamptz,
    quality text NOT NULL DEFAULT 'UNKNOWN',
    throughput_mps int NOT NULL DEFAULT 80 CHECK (throughput_mps > 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE templates (
    id uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES whatsapp_accounts,
    meta_template_id text,
    name text NOT NULL,
    language text NOT NULL,
    category text NOT NULL,
    status text NOT NULL,
    status_reason text,
    quality text NOT NULL DEFAULT 'UNKNOWN',
    components jsonb NOT NULL DEFAULT '[]',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (account_id, name, language)
);

CREATE TRIGGER touch BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CREATE TRIGGER touch BEFORE UPDATE ON whatsapp_accounts FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CREATE TRIGGER touch BEFORE UPDATE ON whatsapp_numbers FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CREATE TRIGGER touch BEFORE UPDATE ON templates FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
