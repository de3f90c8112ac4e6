"""Who a payload speaks of: from identifiers that come and go to one customer. Pure; customers.py loads and saves.

The channel names a person by any of: a BSUID (one per person and portfolio, new when the number changes), a parent BSUID
(shared by portfolios), a wa_id (a phone as WhatsApp writes it, with or without the ninth digit). What one payload says
together belongs to one person, so two customers it names are merged, with one exception: a phone whose known holder has
another BSUID was given to somebody else by the operator, and that somebody must not read the former holder's history.
Identities that ended stay known with the time until which they held, since payloads arrive late and in any order.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from hub_api.chat import phone
from hub_api.platform.ids import uuid7

STRONG = ("bsuid", "parent_bsuid")  # never given to another person


class Identity(NamedTuple):
    """A row of customer_identities by its key. Only a BSUID has a portfolio."""

    kind: str
    value: str
    portfolio: str = ""


def identities_of(
    portfolio: str, *, wa_id: str | None = None, user_id: str | None = None, parent_user_id: str | None = None
) -> tuple[Identity, ...]:
    """The identities of one person in one payload, strongest first. A wa_id counts as it is and as canonical phone."""
    found = []
    if user_id:
        found.append(Identity("bsuid", user_id, portfolio))
    if parent_user_id:
        found.append(Identity("parent_bsuid", parent_user_id))
    if wa_id:
        found.append(Identity("wa_id", wa_id))
        if number := phone.canonical(wa_id):
            found.append(Identity("phone", number))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Sighting:
    """One payload's view of a person at the time `at`. `retired`: identities that it says have ended.

    `passive` sightings (statuses) teach identities of customers we know, and never make one.
    """

    identities: tuple[Identity, ...]
    at: datetime
    name: str | None = None
    username: str | None = None
    retired: frozenset[Identity] = frozenset()
    passive: bool = False


@dataclass(slots=True, eq=False)
class Customer:
    """A customer's row in hand: `current` holds identities by the time they began, `past` by the time they ended.

    `stored` are the identities that are rows already, with the beginning of a current one and None for a past one.
    """

    id: UUID
    created_at: datetime
    shard_id: int = 0
    version: int = 1
    name: str | None = None
    username: str | None = None
    phone: str | None = None
    state_code: str | None = None
    is_new: bool = False
    current: dict[Identity, datetime] = field(default_factory=dict)
    past: dict[Identity, datetime] = field(default_factory=dict)
    stored: dict[Identity, datetime | None] = field(default_factory=dict)
    merged_into: "Customer | None" = None
    loaded: tuple[Any, ...] | None = None

    def profile(self) -> tuple[Any, ...]:
        """What `customers` holds of this person beside the identities; `loaded` is the same at the time of loading."""
        return (self.version, self.name, self.username, self.phone, self.state_code)

    def root(self) -> "Customer":
        """The customer that this one has become."""
        return self.merged_into.root() if self.merged_into else self

    def bsuids(self, portfolio: str) -> set[Identity]:
        """Current BSUIDs in a portfolio: one, except in the middle of a merge."""
        return {known for known in self.current if known.kind == "bsuid" and known.portfolio == portfolio}


class Learned(NamedTuple):
    """A change of the identities of a customer whom we knew: becomes an event."""

    customer: Customer
    identity: Identity
    reason: str  # seen, changed, merged, recycled (its phone went to somebody else)
    at: datetime


class People:
    """The customers in hand and who holds which identity; `place` finds, makes, merges and teaches, in memory."""

    def __init__(self, customers: Iterable[Customer]) -> None:
        self.customers = list(customers)
        self.learned: list[Learned] = []
        self.merges: list[tuple[Customer, Customer, datetime]] = []  # survivor, merged, at: both are rows already
        self._holder = {identity: person for person in self.customers for identity in person.current}
        self._former: dict[Identity, list[Customer]] = {}
        for person in self.customers:
            for identity in person.past:
                self._former.setdefault(identity, []).append(person)

    def place(self, sighting: Sighting) -> Customer | None:
        """The customer a payload speaks of; None for a passive sighting of nobody we know.

        Raises ValueError for a sighting without identities, since then nobody can be told from anybody.
        """
        if not sighting.identities:
            raise ValueError("the payload names nobody: neither BSUID nor phone")
        holders = dict.fromkeys(
            person for identity in sighting.identities for person in self._who(identity, sighting.at)
        )
        same = [person for person in holders if not self._is_another(person, sighting)]
        if not same and sighting.passive:
            return None
        customer = self._merge(same, sighting.at) if same else self._make(sighting.at)
        self._teach(customer, sighting)
        return customer

    def _who(self, identity: Identity, at: datetime) -> list[Customer]:
        """Who holds the identity, or held it then: a late payload speaks of its holder at that time."""
        holder = self._holder.get(identity)
        former = {person.root(): None for person in self._former.get(identity, ()) if person.root() is not holder}
        if identity.kind in STRONG:
            return [*former, *([holder] if holder else ())]
        if holder and holder.current[identity] <= at:
            return [holder]
        then = [person for person in former if at <= person.past[identity]]
        return then or ([holder] if holder else [])

    def _is_another(self, person: Customer, sighting: Sighting) -> bool:
        """Does the payload's phone, once known as that of `person`, belong to somebody else by now?"""
        seen = {identity for identity in sighting.identities if identity.kind in STRONG}
        theirs = {known for i in seen if i.kind == "bsuid" for known in person.bsuids(i.portfolio)}
        if not theirs or seen & (person.current.keys() | person.past.keys()):
            return False
        # A change of number tells whose it is from then on: who first wrote from it after that is the same person.
        return not (
            sighting.retired and any(person.current.get(i, sighting.at) > sighting.at for i in sighting.identities)
        )

    def _make(self, at: datetime) -> Customer:
        customer = Customer(uuid7(), at, is_new=True)
        self.customers.append(customer)
        return customer

    def _merge(self, same: list[Customer], at: datetime) -> Customer:
        """The oldest of `same`, with everything the others had; one that is no row yet counts as youngest."""
        survivor, *others = sorted(same, key=lambda person: (person.is_new, person.created_at, person.id))
        for other in others:
            other.merged_into = survivor
            if not other.is_new:
                self.merges.append((survivor, other, at))
            for identity, began in other.current.items():
                self._holder[identity] = survivor
                survivor.current[identity] = began
                if other.is_new and not survivor.is_new:
                    self.learned.append(Learned(survivor, identity, "merged", at))
            for identity, ended in other.past.items():
                survivor.past[identity] = max(ended, survivor.past.get(identity, ended))
            survivor.stored = other.stored | survivor.stored | {i: b for i, b in other.stored.items() if b}
            for name in ("name", "username", "phone", "state_code"):
                setattr(survivor, name, getattr(survivor, name) or getattr(other, name))
        return survivor

    def _teach(self, customer: Customer, sighting: Sighting) -> None:
        for identity in sighting.identities:
            if identity in sighting.retired:
                self._retire(customer, identity, sighting.at)
            else:
                self._learn(customer, identity, sighting)
        for portfolio in {identity.portfolio for identity in sighting.identities if identity.kind == "bsuid"}:
            for known in sorted(customer.bsuids(portfolio), key=lambda known: customer.current[known])[:-1]:
                self._end(customer, known, sighting.at)  # one person has one BSUID in a portfolio: the newest
        customer.name = sighting.name or customer.name
        customer.username = sighting.username or customer.username

    def _learn(self, customer: Customer, identity: Identity, sighting: Sighting) -> None:
        at, holder, changed = sighting.at, self._holder.get(identity), bool(sighting.retired)
        if holder is customer:
            if changed:  # a change told late must not end what a newer change began
                customer.current[identity] = max(at, customer.current[identity])
            return
        if holder is not None:
            if at <= holder.current[identity]:
                return  # a late payload does not take a phone from its new holder
            self._end(holder, identity, at)
            if not holder.is_new:
                self.learned.append(Learned(holder, identity, "recycled", at))
        ended = customer.past.get(identity)
        if ended is not None and (at <= ended or (identity.kind in STRONG and not changed)):
            return
        customer.current[identity] = at
        self._holder[identity] = customer
        if identity.kind == "phone":
            customer.phone = identity.value
            customer.state_code = customer.state_code or phone.state_of(identity.value)
        if not customer.is_new:
            self.learned.append(Learned(customer, identity, "changed" if changed else "seen", at))

    def _retire(self, customer: Customer, identity: Identity, at: datetime) -> None:
        holder = self._holder.get(identity)
        if holder is customer and customer.current[identity] <= at:
            self._end(customer, identity, at)
        elif holder is None:
            customer.past[identity] = max(at, customer.past.get(identity, at))
            self._former.setdefault(identity, []).append(customer)

    def _end(self, customer: Customer, identity: Identity, at: datetime) -> None:
        customer.past[identity] = max(at, customer.current.pop(identity))
        del self._holder[identity]
        self._former.setdefault(identity, []).append(customer)
        if customer.phone == identity.value:
            customer.phone = next((known.value for known in customer.current if known.kind == "phone"), None)
