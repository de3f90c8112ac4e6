-- pg_dump restores with an empty search_path, under which the generated column's function could not find the other one:
-- no dump of this schema could be loaded. And stems need their accents: without them the stemmer parts instalação from
-- instalações; who types without accents is served by the simple tokens.
SET lock_timeout = '5s';

CREATE OR REPLACE FUNCTION search_vector(content text) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT to_tsvector('pg_catalog.portuguese', left(coalesce(content, ''), 20000))
        || to_tsvector('pg_catalog.simple', public.immutable_unaccent(left(coalesce(content, ''), 20000)))
$$;
