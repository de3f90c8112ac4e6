-- The website's chat as a second channel: sites that may embed it, visitors, and what they took part in.
SET lock_timeout = '5s';

ALTER TABLE customer_identities DROP CONSTRAINT customer_identities_kind_check;
ALTER TABLE customer_identities ADD CONSTRAINT customer_identities_kind_check
    CHECK (kind IN ('bsuid', 'parent_bsuid', 'wa_id', 'phone', 'site', 'site_user')) NOT VALID;
ALTER TABLE customer_identities VALIDATE CONSTRAINT customer_identities_kind_check;
COMMENT ON COLUMN customer_identities.kind IS
    'site: a visitor of a website (his id); site_user: `<site id>:<user id>` as the website itself signs it';

-- `service`: what is said in a chat on a website is processed to answer it. It stops and allows no sending.
ALTER TABLE consent_texts DROP CONSTRAINT consent_texts_scope_check;
ALTER TABLE consent_texts ADD CONSTRAINT consent_texts_scope_check CHECK (scope IN ('marketing', 'utility', 'all', 'service'));
ALTER TABLE consent_ledger DROP CONSTRAINT consent_ledger_scope_check;
ALTER TABLE consent_ledger ADD CONSTRAINT consent_ledger_scope_check
    CHECK (scope IN ('marketing', 'utility', 'all', 'service')) NOT VALID;
ALTER TABLE consent_ledger VALIDATE CONSTRAINT consent_ledger_scope_check;

CREATE TABLE sites (
    id uuid PRIMARY KEY,
    key text NOT NULL UNIQUE CHECK (key ~ '^[a-z0-9]{24}$'), -- public: it stands in the page
    name text NOT NULL CHECK (name <> ''),
    title text NOT NULL,               -- what the widget calls itself
    origins text[] NOT NULL,           -- pages that may embed it: scheme://host[:port], or scheme://*.host
    queue_id uuid REFERENCES queues,   -- where its conversations wait; null: the default queue
    bot boolean NOT NULL DEFAULT true, -- the bot answers first
    offline_form boolean NOT NULL DEFAULT true, -- outside the hours of the queue a form takes the place of the talk
    color text NOT NULL DEFAULT '#00695c' CHECK (color ~ '^#[0-9a-f]{6}$'),
    consent_pt text NOT NULL REFERENCES consent_texts (version),
    consent_en text NOT NULL REFERENCES consent_texts (version),
    secret_encrypted bytea,            -- sealed: with it the website signs who its visitor is
    active boolean NOT NULL DEFAULT true,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX sites_created_at ON sites (created_at);
CREATE TRIGGER touch BEFORE UPDATE ON sites FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

-- A browser that agreed to the text; his token names the row, and nothing else leads to it.
CREATE TABLE site_visitors (
    id uuid PRIMARY KEY,
    site_id uuid NOT NULL REFERENCES sites,
    customer_id uuid NOT NULL REFERENCES customers,
    user_id text,                      -- how the website calls its user, signed by it
    verified_phone text,               -- E.164: a code sent there came back
    seen_at timestamptz NOT NULL DEFAULT now(),
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX site_visitors_customer ON site_visitors (customer_id);
CREATE INDEX site_visitors_seen ON site_visitors (seen_at);

-- In which conversations a visitor wrote: those he sees. Another browser of the same person sees its own.
CREATE TABLE site_talks (
    visitor_id uuid NOT NULL REFERENCES site_visitors ON DELETE CASCADE,
    conversation_id uuid NOT NULL REFERENCES conversations ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (visitor_id, conversation_id)
);
CREATE INDEX site_talks_conversation ON site_talks (conversation_id);

-- A code on its way to a phone that a visitor says is his.
CREATE TABLE site_codes (
    visitor_id uuid PRIMARY KEY REFERENCES site_visitors ON DELETE CASCADE,
    code_sha256 bytea NOT NULL,        -- keyed, over visitor, phone and code
    tries smallint NOT NULL DEFAULT 0,
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- How a message of ours on a website is called where WhatsApp's are called by their wamid: for statuses and quotes.
CREATE FUNCTION site_wamid(message_id uuid) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
AS $$ SELECT 'site.' || replace(message_id::text, '-', '') $$;

INSERT INTO consent_texts (version, scope, text, sha256, author)
SELECT version, 'service', text, sha256(convert_to(text, 'UTF8')), 'system' FROM (VALUES
    ('site-pt-1', 'Para atender você por aqui, guardamos as mensagens, os arquivos e os dados de contato que você enviar, e os usamos somente no seu atendimento. Você pode pedir acesso, correção ou exclusão a qualquer momento.'),
    ('site-en-1', 'To help you here we keep the messages, files and contact details that you send, and use them only to serve you. You may ask to see, correct or erase them at any time.')
) AS texts (version, text);
