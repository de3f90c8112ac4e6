"""The router: every message is placed where it leaves first, for any pool."""

from collections import Counter
from dataclasses import replace
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from hub_api.whatsapp.pool.spread import Capacity, Wish, spread

IDS = [UUID(int=number) for number in range(1, 9)]
POOLS = st.lists(
    st.builds(
        Capacity,
        number_id=st.sampled_from(IDS),
        rate=st.sampled_from([1.0, 4.0, 16.0, 64.0, 800.0]),
        waiting=st.integers(0, 300),
        held=st.sets(st.sampled_from(["marketing", "utility"])).map(frozenset),
        portfolio_id=st.sampled_from(["p", "q"]),
        quota_left=st.none() | st.integers(0, 40),
    ),
    max_size=8,
    unique_by=lambda capacity: capacity.number_id,
)
WISHES = st.lists(
    st.builds(
        Wish,
        category=st.sampled_from(["marketing", "utility"]),
        sticky=st.none() | st.sampled_from(IDS),
        costs_quota=st.booleans(),
    ),
    max_size=120,
)


@given(WISHES, POOLS)
def test_what_may_be_sent_is_placed_and_nothing_goes_where_it_is_held(wishes: list[Wish], pool: list[Capacity]) -> None:
    able = {capacity.number_id: capacity for capacity in pool}
    for wish, chosen in zip(wishes, spread(wishes, pool), strict=True):
        may = [capacity.number_id for capacity in pool if wish.category not in capacity.held]
        assert (chosen is None) == (not may)
        if chosen is not None:
            assert chosen in may
        if wish.sticky in able and wish.category not in able[wish.sticky].held:
            assert chosen == wish.sticky, "a conversation lost its number"


@given(
    POOLS.map(lambda pool: [replace(c, held=frozenset(), portfolio_id="", quota_left=None) for c in pool]),
    st.integers(0, 400),
)
def test_no_message_would_have_left_earlier_from_another_number(pool: list[Capacity], count: int) -> None:
    given_to = Counter(spread([Wish("utility")] * count, pool))
    for busy in pool:
        if not given_to[busy.number_id]:
            continue
        last_leaves = (busy.waiting + given_to[busy.number_id]) / busy.rate
        for other in pool:
            assert last_leaves <= (other.waiting + given_to[other.number_id] + 1) / other.rate + 1e-9


def test_a_slowed_number_gets_its_share_and_an_exhausted_portfolio_gives_way() -> None:
    fast, slow = Capacity(IDS[0], 64.0), Capacity(IDS[1], 16.0)
    assert Counter(spread([Wish("marketing")] * 1000, [fast, slow])) == {IDS[0]: 800, IDS[1]: 200}
    poor = replace(fast, portfolio_id="poor", quota_left=10)
    assert Counter(spread([Wish("marketing")] * 1000, [poor, slow])) == {IDS[0]: 10, IDS[1]: 990}
    inside = Wish("marketing", costs_quota=False)
    assert Counter(spread([inside] * 1000, [poor, slow]))[IDS[0]] == 800, "the quota counts outside the window only"
