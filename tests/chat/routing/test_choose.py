"""The choice of an agent: pure, so looked at from every side without a database."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from hub_api.chat.routing.choose import STRATEGIES, Candidate, Wants, choose, fits
from hub_api.chat.routing.tell import fill, wait_words

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
ANA, BIA, CAIO = (UUID(int=one) for one in (1, 2, 3))


def agent(agent_id, load=0, capacity=3, idle_m=0, **more):
    return Candidate(agent_id, load, capacity, NOW - timedelta(minutes=idle_m), languages=frozenset({"pt_BR"}), **more)


def picked(strategy, *candidates, **wants):
    choice = choose(Wants(**wants), candidates, strategy)
    return choice and (choice.agent_id, choice.reason)


def test_the_least_busy_share_wins_and_then_the_longest_idle():
    assert picked("least_busy", agent(ANA, 1, 2), agent(BIA, 1, 4)) == (BIA, "least_busy")
    assert picked("least_busy", agent(ANA, idle_m=1), agent(BIA, idle_m=9)) == (BIA, "least_busy")
    assert picked("least_busy", agent(ANA, 3), agent(BIA, 3)) is None


def test_in_turn_is_who_got_something_longest_ago():
    got = {"last_assigned_at": NOW}
    earlier = {"last_assigned_at": NOW - timedelta(minutes=1)}
    assert picked("round_robin", agent(ANA, **got), agent(BIA, 2, **earlier)) == (BIA, "round_robin")
    assert picked("round_robin", agent(ANA, **earlier), agent(CAIO)) == (CAIO, "round_robin")


def test_skill_decides_for_the_critical_and_room_for_the_rest():
    expert, beginner = agent(ANA, 2, skills={"fibra": 5}), agent(BIA, 0, skills={"fibra": 1})
    assert picked("weighted", expert, beginner, skills={"fibra": 1}, priority=5) == (ANA, "weighted")
    assert picked("weighted", expert, beginner, skills={"fibra": 1}, priority=1) == (BIA, "weighted")


def test_the_last_agent_wins_while_he_has_room():
    assert picked("last_agent", agent(ANA, 2), agent(BIA), last_agent_id=ANA) == (ANA, "last_agent")
    assert picked("last_agent", agent(ANA, 3), agent(BIA), last_agent_id=ANA) == (BIA, "least_busy")


def test_whom_the_hook_named_wins_only_if_he_fits():
    assert picked("least_busy", agent(ANA, 2), agent(BIA), preferred_id=ANA) == (ANA, "hook")
    assert picked("least_busy", agent(ANA, 3), agent(BIA), preferred_id=ANA) == (BIA, "least_busy")
    assert picked("least_busy", agent(BIA), preferred_id=CAIO) == (BIA, "least_busy")


def test_a_language_and_every_skill_at_its_level_are_wanted():
    spanish = Candidate(CAIO, 0, 1, NOW, languages=frozenset({"pt_BR", "es"}), skills={"fibra": 2})
    assert fits(Wants(languages=frozenset({"es"})), spanish)
    assert not fits(Wants(languages=frozenset({"en"})), spanish)
    assert fits(Wants(skills={"fibra": 2}), spanish) and not fits(Wants(skills={"fibra": 3}), spanish)
    assert not fits(Wants(skills={"tv": 1}), spanish)


levels = st.dictionaries(st.sampled_from(["fibra", "tv"]), st.integers(1, 5))
agents = st.lists(
    st.builds(
        agent, st.uuids(), st.integers(0, 4), st.integers(0, 4), st.integers(0, 500), skills=levels
    ),
    max_size=6,
    unique_by=lambda one: one.agent_id,
)  # fmt: skip


@given(agents, levels, st.integers(1, 5), st.sampled_from([*STRATEGIES, "last_agent"]), st.randoms())
def test_somebody_is_chosen_exactly_when_somebody_fits_whatever_the_order(
    candidates, skills, priority, strategy, random
):
    wants = Wants(priority, skills, last_agent_id=candidates[0].agent_id if candidates else None)
    choice = choose(wants, candidates, strategy)
    fitting = {one.agent_id for one in candidates if fits(wants, one)}
    assert (choice.agent_id in fitting) if choice else not fitting
    shuffled = random.sample(candidates, len(candidates))
    assert choose(wants, shuffled, strategy) == choice


def test_the_wait_in_words_never_promises_too_much():
    said = {s: wait_words(s) for s in (None, 10, 61, 540, 601, 1500, 7201)}
    assert said[None] == "alguns minutos" and said[10] == "cerca de 1 minuto" and said[61] == "cerca de 2 minutos"
    assert said[540] == "cerca de 9 minutos" and said[601] == "cerca de 15 minutos"
    assert said[1500] == "cerca de 25 minutos" and said[7201] == "mais de 2 horas"


def test_texts_with_other_braces_stay_as_they_are():
    assert fill("{position}º {x} {", position="2") == "2º {x} {"
