"""The copies of PostgreSQL's tables against expectations; that no row was lost on the way is checked by the copy itself."""

from assets.checks import expectations
from assets.silver.business.assets import contracts, customers, invoices, outages, service_tickets

customers_expectations = expectations(
    customers, "silver.customers", "SELECT uniqExact(customer_id) FROM silver.customers"
)
contracts_expectations = expectations(
    contracts, "silver.contracts", "SELECT uniqExact(contract_id) FROM silver.contracts"
)
invoices_expectations = expectations(invoices, "silver.invoices", "SELECT uniqExact(invoice_id) FROM silver.invoices")
tickets_expectations = expectations(
    service_tickets, "silver.service_tickets", "SELECT uniqExact(ticket_id) FROM silver.service_tickets"
)
outages_expectations = expectations(outages, "silver.outages", "SELECT uniqExact(outage_id) FROM silver.outages")
