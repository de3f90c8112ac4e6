"""The pure part of recognising people, on random payloads in random order."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from hub_api.chat.identities import People, Sighting, identities_of

START = datetime(2026, 11, 1, tzinfo=UTC)


@st.composite
def sightings(draw: st.DrawFn) -> Sighting:
    phone = draw(st.none() | st.sampled_from(["5511987654321", "551187654321", "5521999990000", "551133334444"]))
    bsuid = draw(st.none() | st.sampled_from(["BR.1", "BR.2", "BR.3"]))
    parent = draw(st.none() | st.sampled_from(["BR.ENT.1"])) if bsuid else None
    if phone is None and bsuid is None:
        bsuid = "BR.1"
    found = identities_of("P", wa_id=phone, user_id=bsuid, parent_user_id=parent)
    retired = frozenset(found[:1]) if draw(st.booleans()) and len(found) > 1 else frozenset()
    return Sighting(
        found, START + timedelta(seconds=draw(st.integers(0, 20))), retired=retired, passive=draw(st.booleans())
    )


@settings(max_examples=300, deadline=None)
@given(st.lists(sightings(), max_size=25))
def test_nobody_shares_an_identity_and_nobody_is_lost(seen: list[Sighting]):
    people = People([])
    placed = [people.place(sighting) for sighting in seen]
    alive = [person for person in people.customers if person.merged_into is None]
    held = [identity for person in alive for identity in person.current]
    assert len(held) == len(set(held)), "two customers hold one identity"
    for person in alive:
        assert len(person.bsuids("P")) <= 1, "one person has one BSUID in a portfolio"
        assert person.phone is None or any(known.value == person.phone for known in person.current)
    for sighting, customer in zip(seen, placed, strict=True):
        assert customer is not None or sighting.passive
        assert customer is None or customer.root() in alive


@settings(max_examples=200, deadline=None)
@given(st.lists(sightings(), max_size=15))
def test_telling_the_same_again_changes_nothing(seen: list[Sighting]):
    people = People([])
    for sighting in seen:
        people.place(sighting)
    if not seen:
        return
    people.place(seen[-1])
    before = [(person.id, dict(person.current), dict(person.past)) for person in people.customers]
    people.place(seen[-1])
    assert before == [(person.id, dict(person.current), dict(person.past)) for person in people.customers]
