"""gold, experiments: assignments, sums, read-outs and funnels from given events, each against the same made in Python."""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from assets.checks import _agree
from assets.gold.experiments.assets import RESULTS, funnel_sql
from assets.gold.experiments.results import read_stories, result_rows
from assets.warehouse import load_sql
from hub_api.events import (
    ConsentChanged,
    ExperimentAssigned,
    ExperimentPlanned,
    GoalRecorded,
    LinkClicked,
    MessagePriced,
    MessageQueued,
    MessageReceived,
    MessageStateChanged,
    PlannedMetric,
    assignment_id,
)
from hub_api.platform.eventlog import Event
from models_ml.experiments.assignment import variant_of
from tests.assets.conftest import Given, at, named
from tests.support.chance import drawn_seed
from tests.support.data import table_hash

PACKAGE = "assets.gold.experiments"
EXPERIMENT, CAMPAIGN, NUMBER = named("experiment"), named("campaign"), named("number")
DAYS = [f"2026-03-{day:02}" for day in range(10, 22)]
SHARES = {"c": 0.4, "a": 0.6}
METRICS = tuple(
    PlannedMetric(name=name, role=role, effect=effect, margin=margin)
    for name, role, effect, margin in [
        ("conversion", "primary", 0.1, None), ("value", "secondary", 5.0, None), ("value_per_goal", "secondary", 5.0, None),
        ("value_p90", "secondary", 5.0, None), ("value_p99", "secondary", 5.0, None), ("reply", "secondary", 0.1, None), ("opt_out", "guardrail", 0.05, 0.05),
    ]
)  # fmt: skip
WINDOW = timedelta(days=5)
TABLES = ("gold.experiment_assignments", RESULTS, "gold.campaign_funnel", "gold.campaign_customers_daily")


def planned(shares: dict[str, float] = SHARES, when: str = "2026-03-10 11:00", version: int = 1) -> ExperimentPlanned:
    return ExperimentPlanned(
        aggregate_id=EXPERIMENT, aggregate_version=version, occurred_at=at(when), experiment="turbo", control="c", shares=shares,
        goal="sold", window_days=WINDOW.days, metrics=METRICS, campaign_id=CAMPAIGN,
    )  # fmt: skip


def assigned(who: UUID, variant: str, when: datetime) -> ExperimentAssigned:
    return ExperimentAssigned(
        aggregate_id=assignment_id(EXPERIMENT, who), aggregate_version=1, occurred_at=when, experiment_id=EXPERIMENT,
        experiment="turbo", variant=variant, customer_id=who, campaign_id=CAMPAIGN,
    )  # fmt: skip


def goal(name: str, who: UUID, when: datetime, micros: int, kind: str = "sold") -> GoalRecorded:
    return GoalRecorded(
        aggregate_id=named(name), aggregate_version=1, occurred_at=when, kind=kind, external_id=name, customer_id=who,
        value_micros=micros,
    )  # fmt: skip


def sent(who: UUID, variant: str, when: datetime, fate: Sequence[tuple[str, timedelta]] = ()) -> list[Event]:
    about = {"aggregate_id": named(f"to {who}"), "conversation_id": named(f"talk {who}"), "customer_id": who}
    events: list[Event] = [MessageQueued(
        **about, aggregate_version=1, occurred_at=when, message_type="template", content="oferta", author="campaign",
        category="marketing", shard=0, number_id=NUMBER, campaign_id=CAMPAIGN, variant=variant,
    )]  # fmt: skip
    state = "queued"
    for version, (word, after) in enumerate(fate, start=2):
        events.append(MessageStateChanged(
            **about, aggregate_version=version, occurred_at=when + after, from_state=state, to_state=word,
            cost_micros=62_500, cost_currency="USD",
        ))  # fmt: skip
        state = word
    return events


def wrote(who: UUID, when: datetime, name: str) -> MessageReceived:
    return MessageReceived(
        aggregate_id=named(name), aggregate_version=1, occurred_at=when, conversation_id=named(f"talk {who}"), customer_id=who,
        message_type="text", content="quero", received_at=when,
    )  # fmt: skip


def clicked(who: UUID, when: datetime, visit: int, link: str = "link") -> LinkClicked:
    return LinkClicked(
        aggregate_id=named(f"{link} of {who}"), aggregate_version=visit, occurred_at=when, customer_id=who,
        target_id=named(link), campaign_id=CAMPAIGN, variant="a", message_id=named(f"to {who}"),
    )  # fmt: skip


def left(who: UUID, when: datetime) -> ConsentChanged:
    return ConsentChanged(
        aggregate_id=who, aggregate_version=2, occurred_at=when, scope="marketing", granted=False, source="customer_message"
    )  # fmt: skip


def campaign(people: int, seed: int) -> tuple[list[Event], dict[UUID, tuple[str, datetime]]]:
    """A whole small campaign, and who was assigned to what and when."""
    chance, events, who_is = Random(seed), [planned()], {}
    for number in range(people):
        who = named(f"person {number}")
        when = at("2026-03-10 12:00") + timedelta(hours=chance.uniform(0, 70))
        variant = variant_of("turbo", who, SHARES)
        who_is[who] = variant, when
        events.append(assigned(who, variant, when))
        if variant == "a":
            fate = [("accepted", timedelta(seconds=1)), ("sent", timedelta(seconds=2))]
            fate += chance.choice(
                [[], [("failed", timedelta(hours=1))], [("delivered", timedelta(hours=chance.uniform(0, 30)))]]
            )
            if fate[-1][0] == "delivered" and chance.random() < 0.7:
                fate.append(("read", fate[-1][1] + timedelta(hours=chance.uniform(0, 30))))
            events += sent(who, variant, when, fate)
            for link in ("link", "other link"):
                hours = sorted(chance.uniform(0, 200) for _ in range(chance.choice([0, 0, 1, 3])))
                events += [
                    clicked(who, when + timedelta(hours=after), n, link) for n, after in enumerate(hours, start=1)
                ]
        for n in range(chance.choice([0, 0, 1, 2, 4])):
            bought = when + timedelta(hours=chance.uniform(-300, 200))
            kind = "sold" if chance.random() < 0.9 else "other"
            events.append(goal(f"goal {number} {n}", who, bought, chance.randint(1, 90_000_000), kind))
        for n in range(chance.choice([0, 0, 1, 2])):
            events.append(wrote(who, when + timedelta(hours=chance.uniform(-20, 150)), f"words {number} {n}"))
        if chance.random() < 0.1:
            events.append(left(who, when + timedelta(hours=chance.uniform(-20, 200))))
    return events, who_is


def build(given: Given, *days: str) -> None:
    """Every table that the four need, and these, as the assets build them."""
    given.build(*days, upto="silver.messages")
    replace = given.warehouse.replace_days
    replace(TABLES[0], load_sql(PACKAGE, "experiment_assignments.sql"), sorted(days))
    rows = [row for story in read_stories(given.warehouse, sorted(days)) for row in result_rows(story, days)]
    given.warehouse.replace_days_from(RESULTS, rows, sorted(days))
    for table in TABLES[2:]:
        replace(table, funnel_sql(table.removeprefix("gold.")), sorted(days))


def test_news_of_a_message_under_a_wrong_clock_are_not_lost(given: Given) -> None:
    """Statuses of days long before the message, recorded after it: as they count when every day is read."""
    who, other = named("ana"), named("rui")
    when = at("2026-03-12 15:00")
    given(planned(), *sent(who, "a", when, [("delivered", timedelta(hours=1))]), *sent(other, "a", when))
    about = {"aggregate_id": named(f"to {who}"), "conversation_id": named(f"talk {who}"), "customer_id": who}
    wrong = at("2010-05-04 10:00")
    given(
        MessagePriced(**about, aggregate_version=9, occurred_at=wrong, cost_micros=81_000, cost_currency="USD"),
        *sent(other, "a", when, [("delivered", wrong - when), ("read", timedelta(hours=2))])[1:],
        recorded_at=when + timedelta(hours=3),
    )
    days = ("2010-05-04", "2026-03-12")
    given.build(*days, upto="silver.messages")
    whole = re.sub(r"/\* tables:.*?/\* /tables \*/", "", funnel_sql(), flags=re.DOTALL)
    found = []
    for sql in (whole, funnel_sql()):
        for day in days:
            given.warehouse.replace_days("gold.campaign_funnel", sql, [day])
        found.append(
            given.rows("SELECT day, sent, delivered, read, cost_micros FROM gold.campaign_funnel ORDER BY day")
        )
    assert whole != funnel_sql() and found[0] == found[1]
    assert [(row["sent"], row["delivered"], row["read"], row["cost_micros"]) for row in found[1]] == [(2, 1, 1, 81_000)]


def local_day(when: datetime) -> str:
    return (when - timedelta(hours=3)).date().isoformat()  # São Paulo


def test_the_sums_of_every_day_are_those_of_its_customers(given: Given) -> None:
    seed = drawn_seed()
    events, who_is = campaign(220, seed)
    given(*events)
    spread = [
        "2026-02-26",
        *(f"2026-02-{day:02}" for day in range(27, 29)),
        *(f"2026-03-{day:02}" for day in range(1, 10)),
        *DAYS,
    ]
    build(given, *spread)
    assert all(
        figure[1] == pytest.approx(figure[2]) for file in TABLES for figure in recomputed(given, file, spread)
    ), f"seed {seed}"
    rows = {(str(row["day"]), row["variant"], row["metric"]): row for row in given.rows(f"SELECT * FROM {RESULTS}")}
    goals = [event for event in events if isinstance(event, GoalRecorded) and event.kind == "sold"]
    for day in DAYS[:9]:
        totals: dict[str, Counter[str]] = defaultdict(Counter)
        worth: dict[str, list[float]] = defaultdict(list)
        for who, (variant, when) in who_is.items():
            if local_day(when) > day:
                continue
            inside = [
                one.value_micros / 1e6
                for one in goals
                if one.customer_id == who
                and when <= one.occurred_at < when + WINDOW
                and local_day(one.occurred_at) <= day
            ]
            x = sum(
                one.value_micros / 1e6
                for one in goals
                if one.customer_id == who and when - timedelta(days=30) <= one.occurred_at < when
            )
            worth[variant].append(sum(inside))
            totals[variant].update(
                n=1, hits=bool(inside), y=sum(inside), yy=sum(inside) ** 2, x=x, xx=x * x, xy=sum(inside) * x, goals=len(inside)
            )  # fmt: skip
        for variant in SHARES:
            wanted, row = totals[variant], rows[day, variant, "value"]
            assert row["customers"] == wanted["n"] and rows[day, variant, "conversion"]["sum_y"] == wanted["hits"]
            for column in ("y", "yy", "x", "xx", "xy"):
                assert row[f"sum_{column}"] == pytest.approx(wanted[column], rel=1e-9), (
                    f"seed {seed}: {day} {variant} {column}"
                )
            assert rows[day, variant, "value_per_goal"]["sum_x"] == wanted["goals"]
            for metric, q in (("value_p90", 0.9), ("value_p99", 0.99)):
                row = rows[day, variant, metric]
                assert row["estimate"] == pytest.approx(np.quantile(worth[variant], q) if worth[variant] else 0), seed
                assert (row["customers"], row["sum_y"]) == (wanted["n"], sum(one > 0 for one in worth[variant]))
    opted = Counter(
        who_is[event.aggregate_id][0]
        for event in events
        if isinstance(event, ConsentChanged)
        and who_is[event.aggregate_id][1] <= event.occurred_at < who_is[event.aggregate_id][1] + WINDOW
    )
    last = max(day for day, _, _ in rows)
    assert {variant: rows[last, variant, "opt_out"]["sum_y"] for variant in SHARES} == {v: opted[v] for v in SHARES}
    for metric in ("conversion", "value", "reply"):  # the control was sent nothing
        row = rows[last, "a", metric]
        effect = row["difference"] if row["adjusted_difference"] is None else row["adjusted_difference"]
        brought = row["sequential_low"] and row["sequential_low"] * row["customers"]
        assert row["incremental"] == (pytest.approx(effect * row["customers"]) if brought else None), f"seed {seed}"
        assert row["incremental_low"] == (pytest.approx(brought) if brought else None)
    told = rows[last, "a", "opt_out"]
    assert told["guardrails"] == told["decision"] and told["harm_p"] is not None
    assert (told["harm_low"], told["harm_high"]) == (told["sequential_low"], told["sequential_high"])
    assert rows[last, "a", "value_p90"]["decision"] == "informs"
    shares = [rows[last, variant, "conversion"]["next_share"] for variant in SHARES]
    assert sum(shares) == pytest.approx(1) and min(shares) >= 0.1, f"seed {seed}"
    assert rows[last, "a", "conversion"]["complete"] and not rows[DAYS[2], "a", "conversion"]["complete"]


def recomputed(given: Given, table: str, days: Sequence[str]) -> Sequence[Sequence[Any]]:
    return given.warehouse.rows(load_sql(PACKAGE, f"{table.split('.')[1]}.check.sql"), days)


def test_a_rerun_of_any_day_alone_gives_the_same_rows(given: Given) -> None:
    events, _ = campaign(120, 5)
    given(*events)
    build(given, *DAYS)
    before = {table: table_hash(given.warehouse.client, table) for table in TABLES}
    assert all(rows > 0 for rows, _ in before.values())
    for day in (DAYS[3], DAYS[0], DAYS[8]):
        build(given, day)
    build(given, *reversed(DAYS))
    assert {table: table_hash(given.warehouse.client, table) for table in TABLES} == before


def test_the_checks_and_the_row_count_find_what_is_wrong(given: Given) -> None:
    events, _ = campaign(90, 9)
    given(*events)
    build(given, *DAYS)
    count = load_sql(PACKAGE, "experiment_results.rows.sql")
    assert given.warehouse.rows(count, DAYS)[0][0] == given.row(f"SELECT count() AS n FROM {RESULTS}")["n"]
    for table in TABLES:
        assert all(_agree(ours, theirs) for _, ours, theirs in recomputed(given, table, DAYS))
    harm = {
        TABLES[0]: "ALTER TABLE gold.experiment_assignments UPDATE variant = if(variant = 'a', 'c', 'a') WHERE 1",
        RESULTS: f"ALTER TABLE {RESULTS} UPDATE sum_y = sum_y + 1 WHERE variant = 'a'",
        TABLES[2]: "ALTER TABLE gold.campaign_funnel UPDATE converted = converted + 1 WHERE 1",
        TABLES[3]: "ALTER TABLE gold.campaign_customers_daily UPDATE read = read + 1 WHERE 1",
    }
    for table in reversed(TABLES):
        given.warehouse.client.command(f"{harm[table]} SETTINGS mutations_sync = 2")
        assert not all(_agree(ours, theirs) for _, ours, theirs in recomputed(given, table, DAYS)), table


def test_steps_count_on_their_own_day_and_for_the_last_message_before(given: Given) -> None:
    ana, bia, noon = named("ana"), named("bia"), at("2026-03-10 15:00")
    hours = lambda n: timedelta(hours=n)  # noqa: E731
    given(
        planned(),
        *sent(ana, "a", noon, [("delivered", hours(20)), ("read", hours(21))]),
        *sent(bia, "a", noon, [("failed", hours(1))]),
        wrote(ana, noon + hours(22), "one"), wrote(ana, noon + hours(23), "two"), wrote(bia, noon + hours(80), "late"),
        goal("g1", ana, noon + hours(30), 5), goal("g2", ana, noon + hours(60), 7), goal("g1", ana, noon + hours(61), 5),
        goal("g3", ana, noon + hours(30), 100, kind="other"), goal("g4", ana, noon - hours(1), 9), left(ana, noon + hours(24)),
    )  # fmt: skip
    build(given, *DAYS)
    columns = "toString(day) AS day, sent, delivered, read, failed, replied, converted, goals, value_micros, opted_out, cost_micros"
    rows = {row.pop("day"): row for row in given.rows(f"SELECT {columns} FROM gold.campaign_funnel ORDER BY day")}
    nothing = dict.fromkeys(rows["2026-03-10"], 0)
    assert rows == {
        "2026-03-10": nothing | {"sent": 2, "failed": 1},
        "2026-03-11": nothing | {"delivered": 1, "read": 1, "replied": 1, "opted_out": 1, "converted": 1, "goals": 1, "value_micros": 5, "cost_micros": 62_500},
        "2026-03-13": nothing | {"goals": 1, "value_micros": 7},
    }  # fmt: skip
    assert given.row("SELECT DISTINCT campaign_id, variant, number_id, max(cost_currency) AS c FROM gold.campaign_funnel GROUP BY ALL ORDER BY c DESC LIMIT 1") == {
        "campaign_id": CAMPAIGN, "variant": "a", "number_id": NUMBER, "c": "USD",
    }  # fmt: skip


def test_a_campaign_is_told_by_segment_and_who_is_in_two_counts_in_both(given: Given) -> None:
    ana, bia, leo, noon = named("ana"), named("bia"), named("leo"), at("2026-03-10 15:00")
    given(
        planned(), *(assigned(who, "a", noon) for who in (ana, bia, leo)),
        *(event for who in (ana, bia, leo) for event in sent(who, "a", noon, [("delivered", timedelta(hours=20))])),
        wrote(ana, noon + timedelta(hours=21), "one"), goal("g1", bia, noon + timedelta(hours=22), 5_000_000),
    )  # fmt: skip
    build(given, *DAYS)
    vip, late, old = named("vip"), named("late"), named("old")
    client = given.warehouse.client
    client.insert("gold.segment_membership", [
        [segment, who, 1, date(2026, 3, 9)] for segment, who in ((vip, ana), (vip, bia), (late, ana), (old, ana), (late, named("stranger")))
    ])  # fmt: skip
    client.insert(
        "silver.segments",
        [[vip, "VIP", 1, False, noon], [late, "Em atraso", 1, False, noon], [old, "Guardado", 1, True, noon]],
    )
    columns = "segment, sum(sent) AS sent, sum(delivered) AS delivered, sum(replied) AS replied, sum(converted) AS converted, sum(value) AS value, sum(cost) AS cost"
    assert given.rows(f"SELECT {columns} FROM gold.bi_campaign_segments GROUP BY segment ORDER BY segment") == [
        {"segment": "Em atraso", "sent": 1, "delivered": 1, "replied": 1, "converted": 0, "value": 0, "cost": 0.0625},
        {"segment": "VIP", "sent": 2, "delivered": 2, "replied": 1, "converted": 1, "value": 5, "cost": 0.125},
    ]  # fmt: skip
    days = given.rows(
        "SELECT DISTINCT campaign, variant, toString(day) AS day, cost_currency AS c FROM gold.bi_campaign_segments ORDER BY day"
    )
    assert days == [{"campaign": "turbo", "variant": "a", "day": f"2026-03-{day}", "c": "USD"} for day in (10, 11)]


def test_a_second_arm_is_a_crossover_and_the_first_one_counts(given: Given) -> None:
    people = [named(f"p{n}") for n in range(40)]
    noon = at("2026-03-10 15:00")
    given(planned(), *(assigned(who, "c" if n % 2 else "a", noon) for n, who in enumerate(people)))
    given(*(assigned(who, "a", noon + timedelta(days=1)) for who in people[1:21:2]))  # ten of the control
    given(*sent(people[23], "a", noon + timedelta(days=2), [("delivered", timedelta(hours=1))]))
    build(given, *DAYS)
    assert given.rows("SELECT variant, count() AS n FROM gold.experiment_assignments GROUP BY variant ORDER BY variant") == [
        {"variant": "a", "n": 20}, {"variant": "c", "n": 20},
    ]  # fmt: skip
    shares = given.rows(
        f"SELECT DISTINCT toString(day) AS day, crossover_share, crossover_flagged FROM {RESULTS} ORDER BY day LIMIT 3"
    )
    assert [row["crossover_share"] for row in shares] == [0, 10 / 40, 11 / 40]
    assert [row["crossover_flagged"] for row in shares] == [False, True, True]


def test_a_lost_arm_blocks_the_day_and_new_shares_do_not(given: Given) -> None:
    people, noon = [named(f"p{n}") for n in range(900)], at("2026-03-10 15:00")
    given(planned({"c": 0.5, "a": 0.5}))
    given(*(assigned(who, "c" if n % 2 else "a", noon) for n, who in enumerate(people[:400])))
    later = noon + timedelta(days=1)
    given(planned({"c": 0.1, "a": 0.9}, "2026-03-11 10:00", version=2))
    given(*(assigned(who, "c" if n % 10 == 0 else "a", later) for n, who in enumerate(people[400:800])))
    build(given, *DAYS)
    blocks = f"SELECT DISTINCT toString(day) AS day, srm_blocks FROM {RESULTS} ORDER BY day"
    assert not any(row["srm_blocks"] for row in given.rows(blocks))
    given(*(assigned(who, "c", later + timedelta(days=1)) for who in people[800:]))
    build(given, *DAYS)
    assert {row["day"] for row in given.rows(blocks) if row["srm_blocks"]} >= set(DAYS[2:6])
    told = given.row(f"SELECT DISTINCT decision, verdict FROM {RESULTS} WHERE day = '2026-03-12' AND variant = 'a'")
    assert told["decision"] == "blocked" and told["verdict"].startswith("Não decida")


def test_assignments_without_a_plan_have_no_read_out_and_a_plan_without_assignments_neither(given: Given) -> None:
    given(assigned(named("ana"), "a", datetime(2026, 3, 10, 15, tzinfo=UTC)))
    build(given, *DAYS)
    assert given.row(f"SELECT count() AS n FROM {RESULTS}") == {"n": 0}
    assert given.warehouse.rows(load_sql(PACKAGE, "experiment_results.rows.sql"), DAYS)[0][0] == 0
    assert all(_agree(ours, theirs) for _, ours, theirs in recomputed(given, RESULTS, DAYS))
