"""Consent: what a customer's words or taps say about our messages, and the one ledger that keeps it (design §4.5).

Legal ground: LGPD art. 8 §2 (we prove consent) and §5 (revocation is free, easy, at any time); Anatel asks for prior,
revocable consent to an operator's advertising. A marketing opt-out does not block service and utility messages.
Handling calls `listen` for each inbound message; Meta's own preferences and error 131050 come in by `record`, pauses by `suppress`.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import resources
from typing import Any, Literal
from uuid import UUID

import yaml

from hub_api.errors import NotFound
from hub_api.events import ConsentChanged, MessageStateChanged
from hub_api.platform import sqlfile
from hub_api.platform.ids import uuid7
from hub_api.platform.postgres import Transaction

queries = sqlfile.load(__package__, "consent.sql")

Said = Literal["opt_out", "opt_in", "ambiguous_cancel"]
Scope = Literal["marketing", "utility", "all"]
# `service`: what is said in the chat of a website is processed to answer it; it stops and allows no sending.
TextScope = Literal[Scope, "service"]

# Service replies and one-time codes answer something the person just asked for; no opt-out stops those.
_STOPPED: Mapping[str, list[str]] = {
    "marketing": ["marketing"],
    "utility": ["utility"],
    "all": ["marketing", "utility"],
}
_NOT_A_WORD = re.compile(r"[\W_]+")
_EARLIEST = datetime(2009, 1, 1, tzinfo=UTC)  # WhatsApp's first year: an earlier payload time is absurd


@dataclass(frozen=True, slots=True)
class Preference:
    """What a button's payload says: the scope and whether messages of it are wanted."""

    scope: Scope
    granted: bool


@dataclass(frozen=True, slots=True)
class Words:
    """The lists of consent_words.yaml: normalised phrase -> meaning, payload -> preference."""

    version: str
    phrases: Mapping[str, Said]
    courtesy: tuple[str, ...]
    payloads: Mapping[str, Preference]


@cache
def words() -> Words:
    """The words in force. Raises ValueError naming a phrase that stands in two lists."""
    raw = yaml.safe_load(resources.files(__package__).joinpath("consent_words.yaml").read_text(encoding="utf-8"))
    phrases: dict[str, Said] = {}
    kinds: tuple[Said, ...] = ("opt_out", "opt_in", "ambiguous_cancel")
    for kind in kinds:
        for phrase in map(normalise, raw[kind]):
            if phrases.setdefault(phrase, kind) != kind:
                raise ValueError(f"consent_words.yaml: {phrase!r} stands in {phrases[phrase]} and in {kind}")
    courtesy = sorted(map(normalise, raw["courtesy"]), key=len, reverse=True)
    payloads = {payload: Preference(**meaning) for payload, meaning in raw["payloads"].items()}
    return Words(str(raw["version"]), phrases, tuple(courtesy), payloads)


def normalise(text: str) -> str:
    """Lower case, without accents, punctuation and emoji, words one space apart: "  PÁRE!!! 🙏" -> "pare"."""
    decomposed = unicodedata.normalize("NFKD", text)
    plain = "".join(
        char for char in decomposed if not unicodedata.combining(char) and unicodedata.category(char) != "Cf"
    )
    return _NOT_A_WORD.sub(" ", plain.casefold()).strip()


def detect(text: str | None) -> Said | None:
    """What the whole message says about consent; None for anything that is not exactly a listed phrase.

    "ambiguous_cancel" means the customer must be asked: silence is neither an opt-out nor the end of a contract.
    """
    if not text or len(text) > 200:
        return None
    known = words()
    phrase = normalise(text)
    return known.phrases.get(phrase) or known.phrases.get(_without_courtesy(phrase, known.courtesy))


def preference_of(payload: str | None) -> Preference | None:
    """What a quick-reply payload or button id (OPTOUT_PROMO, OPTIN_ALL, ...) says; None for other ids."""
    return words().payloads.get(payload) if payload else None


def _without_courtesy(phrase: str, courtesy: tuple[str, ...]) -> str:
    padded = f" {phrase} "
    trimmed = True
    while trimmed:
        trimmed = False
        for polite in courtesy:
            if padded.startswith(f" {polite} "):
                padded, trimmed = padded[len(polite) + 1 :], True
            if padded.endswith(f" {polite} "):
                padded, trimmed = padded[: -len(polite) - 1], True
    return padded.strip()


async def listen(
    tx: Transaction,
    customer_id: UUID,
    *,
    text: str | None,
    payload: str | None,
    message_id: UUID,
    occurred_at: datetime,
) -> Said | None:
    """What a customer's message says about consent, recorded if it is a decision: for every inbound message, stale or not.

    `payload` is a quick reply's payload or the id of a tapped button or row; it outranks the text (one without a payload
    of its own comes with its label as both). "Voltar" from
    somebody who stopped nothing is no consent to advertising but a wish to go back in a menu: None. Returns what was
    understood; "ambiguous_cancel" records nothing.
    """
    tapped = preference_of(payload)
    said = detect(text) if tapped is None and payload in (None, text) else None
    if tapped is None and said in (None, "ambiguous_cancel"):
        return said
    wish = tapped or Preference("marketing", granted=said == "opt_in")
    if tapped is None and wish.granted and not await tx.db.fetchval(queries.is_suppressed, customer_id):
        return None
    await record(
        tx,
        customer_id,
        wish.scope,
        granted=wish.granted,
        source="button" if tapped else "customer_message",
        evidence={"message_id": message_id},
        occurred_at=occurred_at,
    )
    return "opt_in" if wish.granted else "opt_out"


async def record(
    tx: Transaction,
    customer_id: UUID,
    scope: Scope,
    *,
    granted: bool,
    source: str,
    evidence: Mapping[str, Any],
    occurred_at: datetime,
    text_version: str | None = None,
    actor_id: UUID | None = None,
) -> bool:
    """Append one proof to the ledger and let it rule sending at once; False when this proof is in the ledger already.

    `evidence` names the proof: `message_id` (ours), or what else tells two acts apart; without one, the same source,
    scope and second are the same act. An opt-out also cancels the customer's queued messages of that scope. A proof
    older than the newest one (a late redelivery) is kept and changes nothing. A payload time that cannot be true counts as now.
    `text_version` names the text that was read (without it: the list of words in force), `actor_id` the user who recorded it.
    Locks the customer's row, raises its version by one, and emits ConsentChanged. Raises NotFound for an unknown customer.
    """
    now = datetime.now(UTC)
    if not _EARLIEST < occurred_at < now + timedelta(days=1):
        occurred_at = now
    version = await tx.db.fetchval(queries.lock_customer, customer_id)
    if version is None:
        raise NotFound(
            f"there is no customer {customer_id} whose consent could be recorded", customer_id=str(customer_id)
        )
    proof = evidence.get("message_id")
    if await tx.db.fetchval(
        queries.is_known, customer_id, scope, granted, source, str(proof) if proof else None, occurred_at
    ):
        return False
    superseded = await tx.db.fetchval(queries.has_newer, customer_id, scope, granted, occurred_at)
    await tx.db.execute(
        queries.append,
        uuid7(),
        customer_id,
        scope,
        granted,
        source,
        text_version or words().version,
        {key: str(value) if isinstance(value, UUID) else value for key, value in evidence.items()},
        occurred_at,
        actor_id,
    )
    if superseded:
        return True
    if granted:
        await tx.db.execute(queries.lift, customer_id, scope)
    else:
        await suppress(tx, customer_id, scope, reason=source, until=None)
    version = await tx.db.fetchval(queries.raise_version, customer_id)
    tx.emit(
        ConsentChanged(
            aggregate_id=customer_id,
            aggregate_version=version,
            occurred_at=occurred_at,
            scope=scope,
            granted=granted,
            source=source,
        )
    )
    return True


async def suppress(tx: Transaction, customer_id: UUID, scope: Scope, reason: str, until: datetime | None) -> None:
    """Send nothing of `scope` to the customer until `until` (None: until an opt-in), and cancel what is queued.

    A pause never shortens a longer one, nor an opt-out. Messages are locked before the suppression, as the claim of
    the sender does, so that the two cannot deadlock; a message being claimed meanwhile was claimed before this commit.
    """
    if until is None:
        now = datetime.now(UTC)
        for row in await tx.db.fetch(queries.cancel_queued, customer_id, _STOPPED[scope]):
            tx.emit(
                MessageStateChanged(
                    aggregate_id=row["id"],
                    aggregate_version=row["version"],
                    occurred_at=now,
                    conversation_id=row["conversation_id"],
                    customer_id=customer_id,
                    from_state="queued",
                    to_state="cancelled",
                )
            )
    await tx.db.execute(queries.suppress, customer_id, scope, reason, until)
