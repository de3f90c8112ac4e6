-- Customers are found by their CPF, of which the hub has a keyed hash alone.
SET lock_timeout = '5s';

CREATE INDEX customers_cpf ON customers (cpf_hash) WHERE cpf_hash IS NOT NULL;
CREATE INDEX contracts_cpf ON contracts (cpf_hash) WHERE cpf_hash IS NOT NULL;
