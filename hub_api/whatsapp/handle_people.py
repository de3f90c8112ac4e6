"""Whom an inbound value speaks of, in the terms of chat/identities.py."""

from datetime import datetime

from hub_api.chat.identities import Identity, Sighting, identities_of
from hub_api.whatsapp.inbound import (
    Call,
    Cards,
    Echo,
    Edit,
    HistoryMessage,
    Inbound,
    Message,
    Party,
    PersonChanged,
    Preference,
    Reaction,
    Revoke,
    SecurityCodeChanged,
    Status,
    UserIdUpdate,
)


def sighting_of(  # noqa: PLR0911 - one line per kind
    inbound: Inbound, portfolio: str, at: datetime
) -> Sighting | None:
    """The person of `inbound` on a number of `portfolio`; None when handling it needs no customer.

    Only what starts or continues a conversation, states a wish or changes an identity makes a customer; the rest is
    passive: it belongs to somebody we know or to nobody.
    """
    match inbound:
        case Echo(inner=inner) | HistoryMessage(inner=inner):
            return sighting_of(inner, portfolio, at) if isinstance(inner, Message) else None
        case Message(party=party, detail=Cards(requested=True, cards=(card,))) if len(card.phones) == 1:
            # The answer to our request for the person's own number: the card is theirs.
            own = identities_of(portfolio, wa_id=card.phones[0].wa_id)
            return _sighting((*_known(party, portfolio), *own), party, at)
        case Message(party=party) | Preference(party=party):
            return _sighting(_known(party, portfolio), party, at)
        case Call(party=party) if inbound.by_customer:
            return _sighting(_known(party, portfolio), party, at)
        case Reaction(party=party) | Edit(party=party) | Revoke(party=party) | SecurityCodeChanged(party=party):
            return _sighting(_known(party, portfolio), party, at, passive=True)
        case Status(party=party):
            return _sighting(_known(party, portfolio), party, at, passive=True) if party.key else None
        case PersonChanged():
            return _changed_person(inbound, portfolio, at)
        case UserIdUpdate():
            return _changed_id(inbound, portfolio, at)
        case _:
            return None


def _changed_person(inbound: PersonChanged, portfolio: str, at: datetime) -> Sighting:
    """A new number gives a new BSUID too (channel document §1.8), so both old ones have ended; a new BSUID ends one."""
    old, new = _known(inbound.party, portfolio), _known(inbound.new, portfolio)
    ending = ("bsuid",) if inbound.reason == "user_changed_user_id" else ("bsuid", "wa_id", "phone")
    retired = frozenset(identity for identity in old if identity.kind in ending and identity not in new)
    return _sighting((*old, *new), inbound.party, at, retired=retired)


def _changed_id(inbound: UserIdUpdate, portfolio: str, at: datetime) -> Sighting:
    old = identities_of(portfolio, user_id=inbound.previous, parent_user_id=inbound.previous_parent)
    new = identities_of(portfolio, user_id=inbound.current, parent_user_id=inbound.current_parent)
    replaced = {identity.kind for identity in new}
    retired = frozenset(identity for identity in old if identity.kind in replaced and identity not in new)
    return _sighting((*old, *new, *_known(inbound.party, portfolio)), inbound.party, at, retired=retired)


def _known(party: Party, portfolio: str) -> tuple[Identity, ...]:
    return identities_of(portfolio, wa_id=party.wa_id, user_id=party.user_id, parent_user_id=party.parent_user_id)


def _sighting(
    identities: tuple[Identity, ...],
    party: Party,
    at: datetime,
    *,
    retired: frozenset[Identity] = frozenset(),
    passive: bool = False,
) -> Sighting:
    return Sighting(tuple(dict.fromkeys(identities)), at, party.name, party.username, retired, passive)
