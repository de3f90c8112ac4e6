-- A message written before a change of number may arrive after it: it is found by the identity the person had then.
SET lock_timeout = '5s';

CREATE INDEX customer_identities_past ON customer_identities (kind, value, portfolio_id) WHERE valid_to IS NOT NULL;
