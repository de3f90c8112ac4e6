"""Whether a queued message may leave now, and to which address: pure, decided at the moment of the claim.

Consent, the 24 h window and the template's state are looked at here and not when the message was queued (§3.1, §4.1
and §4.3 of Meta's pages): what was true an hour ago does not protect the customer now.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hub_api.platform.pgtypes import Row

Candidate = Row | Mapping[str, Any]  # a row of the query `candidates`

WINDOW = timedelta(hours=24)
# A notice that waited longer than this past its time (a pause nobody lifted) is late news, not a message.
LATE_AFTER = timedelta(hours=24)
TEMPLATE_CHECKED_AGAIN_AFTER = timedelta(minutes=15)
STRIKES = 3
STRIKES_WITHIN = timedelta(days=30)

_TEMPLATE_WAITS = frozenset({"PAUSED", "PENDING", "IN_APPEAL", "LIMIT_EXCEEDED", "LOCKED", "LOW_QUALITY"})
_TEMPLATE_GONE = frozenset({"DRAFT", "DISABLED", "REJECTED", "DELETED", "PENDING_DELETION", "ARCHIVED", "NOT_FOUND"})
# Which opt-outs stop which category: a service reply or a one-time code answers what the person just asked for.
_STOPPED_BY = {"marketing": ("marketing", "all"), "utility": ("utility", "all")}


@dataclass(frozen=True, slots=True)
class Send:
    """It may go: `field` (`to` or `recipient`) of the call is `address`."""

    field: str
    address: str
    first_contact: bool = False  # addressed by a phone that Meta has not spelled for us yet


@dataclass(frozen=True, slots=True)
class Drop:
    """It will not go: `state` is failed or cancelled, `title` says why, `code` is Meta's for the same case, if any."""

    state: str
    title: str
    code: int | None = None


@dataclass(frozen=True, slots=True)
class PutOff:
    """Not now: look again at `until`."""

    until: datetime


def decide(candidate: Candidate) -> Send | Drop | PutOff:
    """What becomes of a row of the query `candidates`. Its claim checks the opt-outs once more, under a lock."""
    return (
        _unwanted(candidate)
        or _untimely(candidate)
        or address_of(candidate["addresses"] or (), candidate["phone"])
        or Drop("failed", "the customer has no WhatsApp address: neither wa_id, BSUID nor phone")
    )


def _unwanted(candidate: Candidate) -> Drop | None:
    """The customer must not get it: gone, opted out, or out of reach for advertising."""
    if candidate["customer_status"] in ("erased", "blocked"):
        return Drop("cancelled", f"the customer is {candidate['customer_status']}")
    suppressed: Mapping[str, str] = candidate["suppressed"] or {}  # scope -> reason, of what is in force
    for scope in _STOPPED_BY.get(candidate["category"] or "service", ()):
        if scope in suppressed:
            return Drop("cancelled", f"the customer wants no {scope} messages ({suppressed[scope]})")
    if candidate["category"] == "marketing" and unreachable(
        candidate["strikes"], candidate["customer_spoke_at"], candidate["now"]
    ):
        return Drop("cancelled", f"not reachable on WhatsApp: {STRIKES} undeliverable messages in a row", 131026)
    return None


def _untimely(candidate: Candidate) -> Drop | PutOff | None:
    """It is too late, or not yet time: the 24 h window (on payload times), the template's state at Meta."""
    now: datetime = candidate["now"]
    if now - candidate["due_at"] > LATE_AFTER:
        return Drop("failed", "waited more than 24 h for a pause to end: send it again if it still matters")
    if candidate["type"] != "template":
        spoke_at = candidate["customer_spoke_at"]
        if spoke_at is None or now - spoke_at >= WINDOW:
            return Drop("failed", "24 h window closed: the customer must write first, or send a template", 131047)
    elif candidate["template_status"] in _TEMPLATE_WAITS:
        return PutOff(now + TEMPLATE_CHECKED_AGAIN_AFTER)
    elif candidate["template_status"] in _TEMPLATE_GONE:
        return Drop("failed", f"the template is {candidate['template_status']} at Meta", 132001)
    return None


def address_of(known: Sequence[Sequence[str]], phone: str | None) -> Send | None:
    """The address to call: the wa_id exactly as received, else the BSUID, else the canonical phone. Newest first.

    A BSUID goes in `recipient`: in `to` Meta takes it and loses it without a word. `to` always has its plus sign.
    """
    newest: dict[str, str] = {}
    for kind, value in known:
        newest.setdefault(kind, value)
    if wa_id := newest.get("wa_id"):
        return Send("to", f"+{wa_id.lstrip('+')}")
    if bsuid := newest.get("bsuid") or newest.get("parent_bsuid"):
        return Send("recipient", bsuid)
    if number := newest.get("phone") or phone:
        return Send("to", f"+{number.lstrip('+')}", first_contact=True)
    return None


def unreachable(strikes: Collection[float] | None, spoke_at: datetime | None, now: datetime) -> bool:
    """Whether the last `STRIKES` undeliverable messages (Unix seconds) are recent and the customer has not written since."""
    if not strikes or len(strikes) < STRIKES:
        return False
    first, last = min(strikes), max(strikes)
    if now.timestamp() - first > STRIKES_WITHIN.total_seconds():
        return False
    return spoke_at is None or spoke_at.timestamp() < last
