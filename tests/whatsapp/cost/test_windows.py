"""The 24 h window and the 72 h free entry, for any times in any order."""

import random
from datetime import UTC, datetime, timedelta

import hypothesis.strategies as st
from hypothesis import example, given

from hub_api.chat import windows
from hub_api.simulator import limits
from hub_api.simulator.model import Pair
from hub_api.whatsapp.send import decide

START = datetime(2026, 11, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
HOURS = st.integers(0, 400).map(lambda half: START + half * HOUR / 2)


@given(HOURS, HOURS)
@example(START, START + 24 * HOUR)
def test_the_window_is_open_for_exactly_24_hours_after_the_customer_wrote(spoke_at: datetime, at: datetime):
    assert windows.service_open(spoke_at, at) == (at - spoke_at < 24 * HOUR)
    assert windows.service_until(spoke_at) == spoke_at + 24 * HOUR
    assert not windows.service_open(None, at) and windows.service_until(None) is None


@given(HOURS, st.sampled_from(["text", "image", "interactive", "reaction", "template"]), HOURS)
@example(START, "text", START + 24 * HOUR)
@example(START, "text", START + 24 * HOUR - timedelta(seconds=1))
def test_the_claim_lets_out_what_the_window_allows(spoke_at: datetime, kind: str, now: datetime):
    now = max(now, spoke_at)
    candidate = {
        "customer_status": "active", "suppressed": None, "category": "service", "strikes": None, "customer_spoke_at": spoke_at,
        "now": now, "due_at": now, "type": kind, "template_status": "APPROVED", "addresses": [["wa_id", "5511987654321"]],
        "phone": None, "template_stopped_until": None, "template_paced_since": None, "pair_burst_at": None,
        "pair_burst_count": None,
    }  # fmt: skip
    sent = isinstance(decide.decide(candidate), decide.Send)
    assert sent == (kind == "template" or windows.service_open(spoke_at, now))


@given(st.lists(HOURS, max_size=6), st.lists(HOURS, max_size=12), HOURS, st.integers(0, 2**32))
def test_the_free_entry_depends_on_the_times_and_not_on_their_order(arrivals, answers, at, seed):
    until = windows.free_entry_until(arrivals, answers, at)
    shuffled = random.Random(seed)
    assert until == windows.free_entry_until(
        shuffled.sample(arrivals, len(arrivals)), shuffled.sample(answers, len(answers)) * 2, at
    )
    if until is not None:
        began = until - windows.FREE_ENTRY
        assert began in answers and began <= at < until
        assert any(arrival <= began < arrival + 24 * HOUR for arrival in arrivals)
    assert windows.free_entry_until(arrivals, [answer for answer in answers if answer <= at], at) == until


@given(st.lists(st.tuples(HOURS, st.booleans()), max_size=14))
def test_the_simulator_grants_the_same_free_entry(acts: list[tuple[datetime, bool]]):
    """At every answer in the order of time: what Meta's side would say, and what we say of the same times."""
    pair, arrivals, answers = Pair(), [], []
    for at, by_customer in sorted(acts, key=lambda act: (act[0], not act[1])):
        if by_customer:
            pair.ad_at = at.timestamp()
            arrivals.append(at)
            continue
        answers.append(at)
        ends = limits.free_entry_until(pair, at.timestamp())
        ours = windows.free_entry_until(arrivals, answers, at)
        assert (ours.timestamp() if ours else 0.0) == ends


def test_an_answer_after_24_hours_opens_nothing_and_templates_stay_free_for_72_hours():
    came = START
    assert windows.free_entry_until([came], [came + 24 * HOUR], came + 25 * HOUR) is None
    answered = came + 23 * HOUR
    last = answered + 72 * HOUR - timedelta(seconds=1)
    assert windows.free_entry_until([came], [answered], last) == answered + 72 * HOUR
    assert windows.free_entry_until([came], [answered], answered + 72 * HOUR) is None
    assert not windows.service_open(came, last), "free, and yet templates only"
