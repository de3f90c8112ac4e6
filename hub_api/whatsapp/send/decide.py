"""Whether a queued message may leave now, and to which address: pure, decided at the moment of the claim.

Consent, the 24 h window and the template's state are looked at here and not when the message was queued (§3.1, §4.1
and §4.3 of Meta's pages): what was true an hour ago does not protect the customer now.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from hub_api.chat import windows
from hub_api.platform.pgtypes import Row
from hub_api.whatsapp.send.pace import pair_free_at

Candidate = Row | Mapping[str, Any]  # a row of the query `candidates`

# A notice that waited longer than this past its time (a pause nobody lifted) is late news, not a message.
LATE_AFTER = timedelta(hours=24)
TEMPLATE_CHECKED_AGAIN_AFTER = timedelta(minutes=15)
# While Meta holds messages of a template back to see how people take it, one in so many of its messages still goes; Meta
# decides within the hour as a rule, so that a longer silence is none.
PACED_SHARE = 0.02
PACED_CHECKED_AGAIN_AFTER = timedelta(minutes=2)
PACED_AT_MOST = timedelta(hours=3)
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
    outside_window: bool = False  # counts on the portfolio's quota of users


@dataclass(frozen=True, slots=True)
class Drop:
    """It will not go: `state` is failed or cancelled, `title` says why, `code` is Meta's for the same case, if any."""

    state: str
    title: str
    code: int | None = None


@dataclass(frozen=True, slots=True)
class PutOff:
    """Not now: look again at `until`. `why` is a value of messages.put_off."""

    until: datetime
    why: str


def decide(candidate: Candidate, draw: float = 0.0) -> Send | Drop | PutOff:
    """What becomes of a row of the query `candidates`. Its claim checks opt-outs, pair limit and quota under locks.

    `draw` is random in 0..1: of a template that Meta is judging, the lowest draws go.
    """
    return (
        _unwanted(candidate)
        or _untimely(candidate, draw)
        or _too_soon(candidate)
        or _addressed(candidate)
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


def _untimely(candidate: Candidate, draw: float) -> Drop | PutOff | None:
    """It is too late, or not yet time: the 24 h window (on payload times), the template's state at Meta and with us."""
    now: datetime = candidate["now"]
    if now - candidate["due_at"] > LATE_AFTER:
        return Drop("failed", "waited more than 24 h for a pause to end: send it again if it still matters")
    if candidate["type"] == "template":
        return _template_waits(candidate, draw)
    if _outside_window(candidate):
        return Drop("failed", "24 h window closed: the customer must write first, or send a template", 131047)
    return None


def _template_waits(candidate: Candidate, draw: float) -> Drop | PutOff | None:
    status, now = candidate["template_status"], candidate["now"]
    if status in _TEMPLATE_GONE:
        return Drop("failed", f"the template is {status} at Meta", 132001)
    if status in _TEMPLATE_WAITS:
        return PutOff(now + TEMPLATE_CHECKED_AGAIN_AFTER, "template")
    if (until := candidate["template_stopped_until"]) is not None and now < until:
        return PutOff(until, "template")
    paced_since = candidate["template_paced_since"]
    if paced_since is not None and now - paced_since < PACED_AT_MOST and draw >= PACED_SHARE:
        return PutOff(now + PACED_CHECKED_AGAIN_AFTER, "template")
    return None


def _too_soon(candidate: Candidate) -> PutOff | None:
    """Meta's limit per number and person: others of the number are not affected."""
    free_at = pair_free_at(candidate["pair_burst_at"], candidate["pair_burst_count"], candidate["now"])
    return PutOff(free_at, "pair") if free_at else None


def _outside_window(candidate: Candidate) -> bool:
    return not windows.service_open(candidate["customer_spoke_at"], candidate["now"])


def _addressed(candidate: Candidate) -> Send | Drop | None:
    known = candidate["addresses"] or ()
    send = address_of(known, candidate["phone"])
    if send and send.field == "recipient" and candidate["category"] == "authentication":
        send = address_of([one for one in known if one[0] == "phone"], candidate["phone"])
        if send is None:
            return Drop("failed", "a code needs a phone number, and the customer is known by a username only", 131062)
    return replace(send, outside_window=True) if send and _outside_window(candidate) else send


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
