"""Examples for the API's documentation; a test sends each of them."""

from fastapi.openapi.models import Example

OF = "only rows of this parent: a contract of invoices and tickets, an invoice of payments, a region of outages, a kind of plans, a customer's id of contracts"

BATCHES: dict[str, Example] = {
    "plans": {
        "summary": "plans",
        "value": {
            "rows": [
                {"external_id": "FIBRA-500", "name": "Fibra 500", "kind": "fiber", "speed_mbps": 500, "price": "99,90"}
            ]
        },
    },
    "contracts": {
        "summary": "contracts",
        "value": {
            "rows": [
                {
                    "external_id": "C-1001",
                    "phone": "(11) 98765-4321",
                    "plan_id": "FIBRA-500",
                    "status": "active",
                    "city": "São Paulo",
                    "state_code": "SP",
                    "region_code": "SP-CENTRO",
                    "started_on": "2025-03-10",
                }
            ]
        },
    },
    "invoices": {
        "summary": "invoices",
        "value": {
            "rows": [
                {
                    "external_id": "F-2026-11-1001",
                    "contract_id": "C-1001",
                    "reference_month": "2026-11",
                    "amount_micros": 99900000,
                    "due_on": "2026-12-10",
                    "status": "open",
                    "barcode": "84670000000999000002026121000000000000000001",
                    "pix_code": "00020126580014br.gov.bcb.pix0136example",
                }
            ]
        },
    },
    "payments": {
        "summary": "payments",
        "value": {
            "rows": [
                {
                    "external_id": "P-77",
                    "invoice_id": "F-2026-11-1001",
                    "amount": 99.9,
                    "method": "pix",
                    "paid_at": "2026-12-09T10:15:00-03:00",
                }
            ]
        },
    },
    "outages": {
        "summary": "outages",
        "value": {
            "rows": [
                {
                    "external_id": "O-5",
                    "region_code": "SP-CENTRO",
                    "service": "fiber",
                    "started_at": "2026-11-23T08:00:00-03:00",
                    "expected_end_at": "2026-11-23T12:00:00-03:00",
                    "cause": "rompimento de fibra",
                }
            ]
        },
    },
    "service_tickets": {
        "summary": "service_tickets",
        "value": {
            "rows": [
                {
                    "external_id": "T-9",
                    "contract_id": "C-1001",
                    "kind": "reparo",
                    "status": "scheduled",
                    "opened_at": "2026-11-22T18:00:00-03:00",
                    "scheduled_for": "2026-11-24T09:00:00-03:00",
                }
            ]
        },
    },
}

OCCURRENCES: dict[str, Example] = {
    "outage": {
        "summary": "an outage begins and ends",
        "value": {
            "events": [
                {
                    "type": "outage_started",
                    "data": {
                        "external_id": "O-6",
                        "region_code": "SP-CENTRO",
                        "service": "all",
                        "started_at": "2026-11-23T08:00:00-03:00",
                    },
                },
                {"type": "outage_ended", "data": {"external_id": "O-6", "ended_at": "2026-11-23T11:20:00-03:00"}},
            ]
        },
    }
}
