"""Who writes on which day and why: the operator's customers over a period, day by day."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from random import Random

from hub_api.simulator.history.effects import Effects
from hub_api.simulator.history.operator import Operator, Outage, Person
from hub_api.simulator.history.rhythm import Rhythm
from hub_api.simulator.history.script import REASONS, TECHNICAL, Contact

CONTACTS_PER_DAY = 1 / 55  # of an average customer on a normal Wednesday
CANCEL_PER_DAY = 1 / 3500  # of a customer of more than a year without trouble; of all together some 2 % a month leave
NEW_DAYS = 365
DISPUTE_DAYS = 21
OUTAGE_CONTACTS_PER_HOUR = CONTACTS_PER_DAY * 0.11 / 14  # usual "no signal" contacts of a customer in a waking hour

_INTENTS = [intent for intent, _, _ in REASONS]
_WEIGHTS = [share for _, share, _ in REASONS]


def contacts(rng: Random, operator: Operator, rhythm: Rhythm, days: int, effects: Effects) -> Iterator[list[Contact]]:
    """The contacts of each day in order of time; at most one a day from each customer."""
    for offset in range(days):
        day = rhythm.first_day + timedelta(days=offset)
        level = rhythm.level(day)
        found: dict[str, Contact] = {}
        for person in operator.people:
            if person.cancelled_on is None and (contact := _contact(rng, person, day, level, rhythm, effects)):
                found[person.phone] = contact
        for outage in operator.outages:
            for contact in _outage_contacts(rng, operator, outage, day, rhythm, effects):
                found[contact.person.phone] = contact
        yield sorted(found.values(), key=lambda contact: contact.at)


def _contact(rng: Random, person: Person, day: date, level: float, rhythm: Rhythm, effects: Effects) -> Contact | None:
    troubled = sum(1 for moment in person.troubles if 0 <= (day - moment.date()).days <= 30) >= 2
    is_new = (day - person.since).days < NEW_DAYS
    hazard = (effects.churn_factor if troubled else 1.0) * (effects.newcomer_factor if is_new else 1.0)
    if rng.random() < CANCEL_PER_DAY * hazard:
        at = rhythm.moment(rng, day)
        if rng.random() < 0.75:
            person.cancelled_on = day
        return Contact(person, at, "cancel_service", rhythm.load(at))
    rate = CONTACTS_PER_DAY * person.talkative * level
    disputes = person.plan == effects.raised_plan and 0 <= (day - effects.raised_on).days < DISPUTE_DAYS
    extra = CONTACTS_PER_DAY * 0.05 * (effects.dispute_factor - 1) * disputes
    draw = rng.random()
    if draw >= rate + extra:
        return None
    intent = rng.choices(_INTENTS, weights=_WEIGHTS)[0] if draw < rate else "bill_dispute"
    at = rhythm.moment(rng, day)
    return _remember(Contact(person, at, intent, rhythm.load(at)))


def _outage_contacts(
    rng: Random, operator: Operator, outage: Outage, day: date, rhythm: Rhythm, effects: Effects
) -> Iterator[Contact]:
    if outage.started_at.date() != day:
        return
    factor = effects.outage_factor if outage.region == effects.outage_region and outage.id == "OUT-PLANTED" else 5.0
    hours = (outage.ended_at - outage.started_at) / timedelta(hours=1)
    share = min(0.5, OUTAGE_CONTACTS_PER_HOUR * hours * factor)
    for person in operator.people:
        if person.region == outage.region and person.cancelled_on is None and rng.random() < share:
            at: datetime = outage.started_at + timedelta(hours=rng.betavariate(1.2, 2.5) * hours)
            yield _remember(Contact(person, at, "no_signal", rhythm.load(at) + factor / 100))


def _remember(contact: Contact) -> Contact:
    if contact.intent in TECHNICAL:
        contact.person.troubles.append(contact.at)
    return contact
