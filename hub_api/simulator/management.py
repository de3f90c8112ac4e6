"""Management webhooks on demand: every field of the channel's §1.5 with values that make sense, and their effect.

`produce(core, field, event, given)` builds the usual value of a field, lays `given` over it, applies what it means for
the simulated account (a restriction stops sends until it expires, a throughput upgrade raises the number's mps, …)
and tells it. Fields without a builder need `given`.
"""

from collections.abc import Callable
from typing import Any

from hub_api.simulator.core import Core
from hub_api.simulator.model import Number

Json = dict[str, Any]
THREE_DAYS_S = 3 * 86_400


def produce(core: Core, field: str, event: str = "", given: Json | None = None, number: Number | None = None) -> Json:
    """Tell a management webhook and return its value. Raises ValueError on a field that has no usual value and no
    given one."""
    number = number or next(iter(core.world.numbers.values()))
    build = BUILDERS.get(field)
    if build is None and not given:
        raise ValueError(f"field {field!r} has no usual value: give one, or use one of {', '.join(sorted(BUILDERS))}")
    value = {**(build(core, number, event) if build else {}), **(given or {})}
    apply = EFFECTS.get((field, str(value.get("event", ""))))
    if apply is not None:
        apply(core, number, value)
    core.tell_account(number.waba, field, value)
    return value


def set_tier(core: Core, number: Number, tier: str) -> None:
    """Change the portfolio's messaging limit and tell both webhooks that announce it."""
    previous, number.waba.portfolio.tier = number.waba.portfolio.tier, tier
    produce(core, "phone_number_quality_update", "UPGRADE", {"current_limit": tier, "old_limit": previous}, number)
    produce(core, "business_capability_update", "", {"max_daily_conversations_per_business": tier}, number)


def _quality_update(core: Core, number: Number, event: str) -> Json:
    tier = number.waba.portfolio.tier
    return {
        "display_phone_number": number.display,
        "event": event or "ONBOARDING",
        "max_daily_conversations_per_business": tier,
        "current_limit": tier,
    }


def _name_update(core: Core, number: Number, event: str) -> Json:
    decision = event or "APPROVED"
    return {
        "display_phone_number": number.display,
        "decision": decision,
        "requested_verified_name": number.verified_name,
        "rejection_reason": "NAME_EXISTING_BUSINESS" if decision == "REJECTED" else None,
    }


def _capability(core: Core, number: Number, event: str) -> Json:
    return {
        "max_daily_conversations_per_business": number.waba.portfolio.tier,
        "max_phone_numbers_per_business": 20,
        "max_phone_numbers_per_waba": 20,
    }


def _account(core: Core, number: Number, event: str) -> Json:
    now = int(core.clock.now())
    waba_info = {"waba_id": number.waba.id, "owner_business_id": number.waba.portfolio.id}
    restrictions = [
        {"restriction_type": "RESTRICTED_BIZ_INITIATED_MESSAGING", "expiration": now + THREE_DAYS_S},
        {"restriction_type": "RESTRICTED_CUSTOMER_INITIATED_MESSAGING", "expiration": now + THREE_DAYS_S},
    ]
    details: dict[str, Json] = {
        "ACCOUNT_RESTRICTION": {"restriction_info": restrictions},
        "ACCOUNT_VIOLATION": {"violation_info": {"violation_type": "SPAM"}},
        "DISABLED_UPDATE": {"ban_info": {"waba_ban_state": "DISABLE", "waba_ban_date": "November 23, 2026"}},
        "ACCOUNT_OFFBOARDED": {"phone_number": number.display},
        "ACCOUNT_RECONNECTED": {"phone_number": number.display},
        "PARTNER_ADDED": {"waba_info": waba_info},
        "PARTNER_REMOVED": {"waba_info": waba_info},
        "MM_LITE_TERMS_SIGNED": {"waba_info": waba_info},
        "VOLUME_BASED_PRICING_TIER_UPDATE": {
            "volume_tier_info": {
                "tier_update_time": now,
                "pricing_category": "UTILITY",
                "tier": "25000:50000",
                "region": "Brazil",
            }
        },
        "AUTH_INTL_PRICE_ELIGIBILITY_UPDATE": {"auth_international_rate_eligibility": {"start_time": now + 86_400}},
    }
    event = event or "ACCOUNT_RESTRICTION"
    return {"event": event, **details.get(event, {})}


def _alert(core: Core, number: Number, event: str) -> Json:
    return {
        "entity_type": "BUSINESS",
        "entity_id": number.waba.portfolio.id,
        "alert_info": {
            "alert_severity": "CRITICAL",
            "alert_status": "ACTIVE",
            "alert_type": event or "INCREASED_CAPABILITIES_ELIGIBILITY_FAILED",
            "alert_description": "The business could not be given a higher messaging limit.",
        },
    }


def _flow(core: Core, number: Number, event: str) -> Json:
    event = event or "FLOW_STATUS_CHANGE"
    value: Json = {"event": event, "flow_id": "6627390910605886", "message": f"Flow event {event}."}
    if event == "FLOW_STATUS_CHANGE":
        return {**value, "old_status": "PUBLISHED", "new_status": "THROTTLED"}
    return {**value, "alert_state": "ACTIVATED", "threshold": 10, "error_rate": 14.28}


def _security(core: Core, number: Number, event: str) -> Json:
    return {"display_phone_number": number.display, "event": event or "PIN_CHANGED", "requester": "61555822107539"}


def _restrict(core: Core, number: Number, value: Json) -> None:
    number.waba.restricted_until = max(r["expiration"] for r in value["restriction_info"])


def _ban(core: Core, number: Number, value: Json) -> None:
    state = value["ban_info"]["waba_ban_state"]
    number.waba.restricted_until = {"DISABLE": float("inf"), "REINSTATE": 0.0}.get(state, number.waba.restricted_until)


def _upgrade(core: Core, number: Number, value: Json) -> None:
    number.mps = 1_000
    number.upgrading_until = core.clock.now() + 60.0


def _terms(core: Core, number: Number, value: Json) -> None:
    number.waba.marketing_messages_terms = True


BUILDERS: dict[str, Callable[[Core, Number, str], Json]] = {
    "phone_number_quality_update": _quality_update,
    "phone_number_name_update": _name_update,
    "business_capability_update": _capability,
    "account_update": _account,
    "account_review_update": lambda core, number, event: {"decision": event or "APPROVED"},
    "account_alerts": _alert,
    "security": _security,
    "flows": _flow,
}
EFFECTS: dict[tuple[str, str], Callable[[Core, Number, Json], None]] = {
    ("account_update", "ACCOUNT_RESTRICTION"): _restrict,
    ("account_update", "DISABLED_UPDATE"): _ban,
    ("account_update", "MM_LITE_TERMS_SIGNED"): _terms,
    ("phone_number_quality_update", "THROUGHPUT_UPGRADE"): _upgrade,
}
