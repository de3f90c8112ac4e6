-- name: numbers  -- -> ids of the numbers of active accounts
SELECT n.id FROM whatsapp_numbers n JOIN whatsapp_accounts a ON a.id = n.account_id WHERE a.state = 'active' ORDER BY n.id;

-- name: quotas  -- $1 portfolios -> messaging_limit (null: none is known), quota_used of each
SELECT given.id AS portfolio_id, p.messaging_limit, coalesce(p.quota_used, 0) AS quota_used
FROM unnest($1::text[]) AS given (id) LEFT JOIN whatsapp_portfolios p ON p.portfolio_id = given.id;
