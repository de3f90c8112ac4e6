"""gold, sentiment: what customers' messages say, against the models called apart and the same figures made in Python."""

import json
from collections.abc import Callable
from random import Random
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from assets.checks import _agree
from assets.gold.sentiment import read as reading
from assets.gold.sentiment.read import read_days
from assets.models.agreement import agreement, as_markdown
from assets.models.train import teacher_labels
from assets.warehouse import load_sql
from hub_api.chat.privacy.warehouse import erase_texts
from hub_api.events import MessageEdited, MessageLabelled, MessageRevoked
from hub_api.platform.ids import uuid7
from hub_api.settings import Settings
from models_ml.messages import MessageReader, load_reader
from models_ml.sentiment.corpus import CLASSES, load_corpus
from tests.assets.conftest import Given, at, named
from tests.assets.story import Talk
from tests.support.data import table_hash
from tests.support.models import trained

DAYS = ["2026-03-10", "2026-03-11"]
PACKAGE = "assets.gold.sentiment"


@pytest.fixture(scope="session")
def reader() -> MessageReader:
    return load_reader(trained())


def built(given: Given, reader: MessageReader, days: list[str] = DAYS) -> int:
    """Build everything up to the sentiment of conversations; how many messages were read now."""
    given.build(*days, upto="silver.conversations")
    _, read = read_days(given.warehouse, reader, days)
    given.warehouse.replace_days("gold.conversation_sentiment", load_sql(PACKAGE, "conversation_sentiment.sql"), days)
    return read


def checked(given: Given, table: str) -> list[Any]:
    return list(given.warehouse.rows(load_sql(PACKAGE, f"{table}.check.sql"), DAYS))


def test_only_what_customers_wrote_is_read_and_no_text_is_kept(given: Given, reader: MessageReader) -> None:
    talk = Talk("ana", "2026-03-10 14:00")
    ours = talk.customer("2026-03-10 14:00", "o sinal caiu de novo 😡")
    talk.we("2026-03-10 14:01", "bot", "adorei falar com você")
    talk.customer("2026-03-10 14:02", "   ")
    given(*talk.events)
    assert built(given, reader) == 1
    row = given.row("SELECT * FROM gold.message_sentiment")
    assert row["message_id"] == ours and row["label"] == "negative" and row["aspects"] == {"signal": "negative"}
    (said,) = reader.read(["o sinal caiu de novo 😡"])
    assert [row[name] for name in CLASSES] == pytest.approx([said.probabilities[name] for name in CLASSES], abs=1e-6)
    assert row["score"] == pytest.approx(said.score, abs=1e-6) and row["intent"] == said.intent
    assert "sinal caiu" not in json.dumps(row, default=str)


def test_a_rerun_reads_nothing_again_and_changes_nothing_and_an_edited_message_is_read_again(
    given: Given, reader: MessageReader
) -> None:
    talk = Talk("ana", "2026-03-10 14:00")
    edited = talk.customer("2026-03-10 14:00", "atendimento péssimo")
    gone = talk.customer("2026-03-10 14:05", "que raiva")
    talk.customer("2026-03-11 09:00", "bom dia")
    given(*talk.events)
    assert built(given, reader) == 3
    before = {
        table: table_hash(given.warehouse.client, f"gold.{table}")
        for table in ("message_sentiment", "conversation_sentiment")
    }
    assert built(given, reader) == 0
    assert built(given, reader, DAYS[::-1]) == 0
    for table, hashed in before.items():
        assert table_hash(given.warehouse.client, f"gold.{table}") == hashed
    about = {"conversation_id": talk.id, "customer_id": named("customer ana"), "occurred_at": at("2026-03-11 10:00")}
    given(
        MessageEdited(aggregate_id=edited, aggregate_version=2, content="atendimento ótimo, adorei", **about),
        MessageRevoked(aggregate_id=gone, aggregate_version=2, **about),
    )
    assert built(given, reader) == 1
    rows = given.rows("SELECT message_id, label FROM gold.message_sentiment ORDER BY sent_at")
    assert [row["label"] for row in rows] == ["positive", "neutral"] and gone not in {row["message_id"] for row in rows}
    assert given.rows(f"SELECT name FROM system.tables WHERE name LIKE '%{reading.STAGING}%'") == []


def test_another_version_of_the_models_reads_everything_again(given: Given, reader: MessageReader) -> None:
    talk = Talk("ana", "2026-03-10 14:00")
    talk.customer("2026-03-10 14:00", "obrigada")
    given(*talk.events)
    assert built(given, reader) == 1
    other = MessageReader(reader._sentiment, reader._intent, "another")
    assert built(given, other) == 1
    assert given.row("SELECT model, count() AS n FROM gold.message_sentiment GROUP BY model") == {
        "model": "another",
        "n": 1,
    }


def by_hand(scores: list[float], labels: list[str]) -> dict[str, Any]:
    """The trajectory of a conversation with numpy."""
    n, third = len(scores), -(-len(scores) // 3)
    cuts = [
        (sum((np.mean(part) - np.mean(scores)) ** 2 * len(part) for part in (scores[:k], scores[k:])), k)
        for k in range(1, n)
    ]
    cut = max(cuts, key=lambda one: (round(one[0], 12), -one[1]))[1] if n >= 3 else 0
    turn = float(np.mean(scores[cut:]) - np.mean(scores[:cut])) if cut else 0.0
    moods = [label for label in labels if label != "neutral"]
    return {
        "messages": n,
        "score_mean": float(np.mean(scores)),
        "score_start": float(np.mean(scores[:third])),
        "score_end": float(np.mean(scores[-third:])),
        "score_slope": float(np.polyfit(range(n), scores, 1)[0]) if n > 1 else None,
        "score_minimum": min(scores),
        "turning_change": turn if abs(turn) >= 0.3 else None,
        "turns_at": cut if abs(turn) >= 0.3 else None,
        "first_label": moods[0] if moods else "neutral",
        "final_label": moods[-1] if moods else "neutral",
        "negative_messages": labels.count("negative"),
    }


@pytest.mark.parametrize("seed", range(2))
def test_trajectories_are_those_computed_by_hand(given: Given, reader: MessageReader, seed: int) -> None:
    chance, lines = Random(seed), [line.text for line in load_corpus().held_out]
    talks = {}
    for number in range(25):
        talk = Talk(f"talk {seed} {number}", f"2026-03-10 {chance.randint(12, 20)}:00")
        days = sorted(chance.choice(DAYS) for _ in range(chance.randint(1, 9)))
        talks[talk.id] = [
            talk.customer(f"{day} 2{place // 5}:{place:02}", chance.choice(lines)) for place, day in enumerate(days)
        ]
        given(*talk.events)
    built(given, reader)
    read = {row["message_id"]: row for row in given.rows("SELECT message_id, score, label FROM gold.message_sentiment")}
    assert len(read) == sum(map(len, talks.values()))
    for row in given.rows("SELECT * FROM gold.conversation_sentiment"):
        ids = talks.pop(row["conversation_id"])
        expected = by_hand([float(read[one]["score"]) for one in ids], [read[one]["label"] for one in ids])
        turns_at = expected.pop("turns_at")
        assert row["turning_message_id"] == (None if turns_at is None else ids[turns_at])
        found = {name: row[name] for name in expected}
        assert {n: v for n, v in found.items() if isinstance(v, float)} == pytest.approx(
            {n: v for n, v in expected.items() if isinstance(v, float)}, abs=1e-6
        )
        assert {n: v for n, v in found.items() if not isinstance(v, float)} == {
            n: v for n, v in expected.items() if not isinstance(v, float)
        }
        assert read[row["minimum_message_id"]]["score"] == pytest.approx(row["score_minimum"])
    assert talks == {}
    for table in ("message_sentiment", "conversation_sentiment"):
        figures = checked(given, table)
        assert len(figures) >= 5 and all(_agree(ours, theirs) for _, ours, theirs in figures), figures


@pytest.mark.parametrize(
    ("table", "damage"),
    [
        ("message_sentiment", "UPDATE score = -score WHERE 1"),
        ("message_sentiment", "UPDATE label = 'neutral' WHERE label = 'negative'"),
        ("message_sentiment", "DELETE WHERE label = 'negative'"),
        ("conversation_sentiment", "UPDATE score_slope = 0 WHERE 1"),
        ("conversation_sentiment", "UPDATE score_end = score_start WHERE 1"),
    ],
)
def test_the_checks_see_damage(given: Given, reader: MessageReader, table: str, damage: str) -> None:
    talk = Talk("ana", "2026-03-10 14:00")
    for place, text in enumerate(("que atendimento péssimo", "não resolve nada", "agora sim, obrigada, adorei")):
        talk.customer(f"2026-03-10 14:0{place}", text)
    given(*talk.events)
    built(given, reader)
    assert all(_agree(ours, theirs) for _, ours, theirs in checked(given, table))
    given.warehouse.client.command(f"ALTER TABLE gold.{table} {damage} SETTINGS mutations_sync = 1")
    assert not all(_agree(ours, theirs) for _, ours, theirs in checked(given, table))


async def test_an_erased_customer_is_led_to_by_no_row_and_is_not_read_again(
    given: Given, reader: MessageReader, warehouse_settings: Settings
) -> None:
    for name in ("ana", "bia"):
        talk = Talk(name, "2026-03-10 14:00")
        talk.customer("2026-03-10 14:00", f"{name} está sem sinal")
        given(*talk.events)
    built(given, reader)
    counts = await erase_texts(warehouse_settings, [named("customer ana")])
    assert counts["gold.message_sentiment"] == counts["gold.conversation_sentiment"] == 1
    left = "SELECT count() AS n, countIf(customer_id IS NULL) AS nobody FROM gold."
    for table in ("message_sentiment", "conversation_sentiment"):
        assert given.row(left + table) == {"n": 2, "nobody": 1}
    assert built(given, reader) == 0
    for table in ("message_sentiment", "conversation_sentiment"):
        assert given.row(left + table) == {"n": 1, "nobody": 0}
    assert given.row("SELECT customer_id FROM gold.message_sentiment")["customer_id"] == named("customer bia")


async def test_a_teachers_newest_label_reaches_training_with_the_words_and_leaves_with_them(
    given: Given, reader: MessageReader, warehouse_settings: Settings
) -> None:
    talk = Talk("ana", "2026-03-10 14:00")
    message = talk.customer("2026-03-10 14:00", "esse plano é osso")

    def label(sentiment: str, when: str, teacher: str = "gpt") -> MessageLabelled:
        return MessageLabelled(
            aggregate_id=message, aggregate_version=1, occurred_at=at(when), customer_id=named("customer ana"),
            teacher=teacher, sentiment=sentiment, confidence=0.8,
        )  # fmt: skip

    given(*talk.events, label("positive", "2026-03-10 15:00"), label("negative", "2026-03-10 16:00"))
    given(label("mixed", "2026-03-10 16:30", "a person"))
    built(given, reader)
    found = teacher_labels(given.warehouse)
    assert [(one.text, one.sentiment, one.source) for one in found] == [
        ("esse plano é osso", "mixed", "a person"), ("esse plano é osso", "negative", "gpt"),
    ]  # fmt: skip
    assert [one.weight for one in found] == pytest.approx([0.4, 0.4])
    await erase_texts(warehouse_settings, [named("customer ana")])
    assert teacher_labels(given.warehouse) == []


def test_what_a_teacher_says_flows_to_bronze_and_is_compared_with_the_model(
    given: Given, reader: MessageReader
) -> None:
    talk = Talk("ana", "2026-03-10 14:00")
    texts = ("o sinal caiu de novo 😡", "bom dia", "adorei, obrigada!", "segunda via da fatura")
    made = [talk.customer(f"2026-03-10 14:0{place}", text) for place, text in enumerate(texts)]
    found = reader.read(list(texts))

    def label(
        place: int, sentiment: str, intent: str | None, chosen_by: str | None, teacher: str = "gpt"
    ) -> MessageLabelled:
        return MessageLabelled(
            aggregate_id=made[place], aggregate_version=1, occurred_at=at("2026-03-10 16:00"), customer_id=named("customer ana"),
            teacher=teacher, sentiment=sentiment, intent=intent, chosen_by=chosen_by,
        )  # fmt: skip

    given(
        *talk.events,
        label(0, found[0].label, found[0].intent, "random"),
        label(1, "mixed", found[1].intent, "random"),
        label(2, found[2].label, None, "uncertain"),
        label(3, found[3].label, "thanks", None, "a person"),
    )
    built(given, reader)
    told = given.rows("SELECT type, aggregate_id, customer_id FROM bronze.events WHERE type = 'message.labelled'")
    assert {row["aggregate_id"] for row in told} == set(made) and {row["customer_id"] for row in told} == {
        named("customer ana")
    }
    agreed = {(one.teacher, one.chosen_by): one for one in agreement(given.warehouse)}
    assert {key: (one.messages, one.sentiment, one.intent) for key, one in agreed.items()} == {
        ("a person", ""): (1, 1.0, 0.0), ("gpt", "random"): (2, 0.5, 1.0), ("gpt", "uncertain"): (1, 1.0, None),
    }  # fmt: skip
    assert "| gpt | random | 2 | 0.500 |" in as_markdown(agreed.values())


def test_agreement_beyond_chance_is_cohens_kappa(given: Given) -> None:
    from sklearn.metrics import cohen_kappa_score

    random = Random(7)
    said = [random.choice(CLASSES) for _ in range(300)]
    other = [one if random.random() < 0.6 else random.choice(CLASSES) for one in said]
    ids = [named(f"message {place}") for place in range(302)]
    moment = at("2026-03-10 16:00")
    labels = [[moment.date(), one, "gpt", moment, word, "random"] for one, word in zip(ids, said, strict=False)]
    labels += [[moment.date(), one, "a person", moment, "neutral", ""] for one in ids[300:]]
    read = [[moment.date(), one, word] for one, word in zip(ids, [*other, "neutral", "neutral"], strict=True)]
    client = given.warehouse.client
    names = ["day", "message_id", "teacher", "labelled_at", "sentiment", "chosen_by"]
    client.insert("silver.message_labels", labels, column_names=names)
    client.insert("gold.message_sentiment", read, column_names=["day", "message_id", "label"])
    person, model = agreement(given.warehouse)
    assert model.kappa == pytest.approx(cohen_kappa_score(said, other), abs=1e-9) and model.messages == 300
    assert model.sentiment == pytest.approx(np.mean([one == word for one, word in zip(said, other, strict=True)]))
    assert (person.sentiment, person.kappa, person.intent) == (1.0, None, None), "chance alone agrees always"


def test_a_label_is_one_row_a_message_and_teacher_and_the_last_one_of_a_day_wins(given: Given) -> None:
    talk = Talk("ana", "2026-03-10 14:00")
    kept, taken_back = talk.customer("2026-03-10 14:00", "o sinal caiu"), talk.customer("2026-03-10 14:01", "apaguei")
    revoked = MessageRevoked(
        aggregate_id=taken_back, aggregate_version=2, occurred_at=at("2026-03-10 15:00"), conversation_id=talk.id,
        customer_id=named("customer ana"),
    )  # fmt: skip

    def label(message: UUID, when: str, teacher: str = "gpt", **said: Any) -> MessageLabelled:
        return MessageLabelled(
            aggregate_id=message, aggregate_version=1, occurred_at=at(when), customer_id=named("customer ana"),
            teacher=teacher, **said,
        )  # fmt: skip

    given(*talk.events, revoked, label(taken_back, "2026-03-10 16:00", sentiment="neutral"))
    given(
        label(
            kept,
            "2026-03-10 17:00",
            sentiment="negative",
            intent="outage",
            confidence=0.9,
            chosen_by="random",
            prompt="v2",
        )
    )
    given(label(kept, "2026-03-10 16:00", sentiment="positive", prompt="v1"))  # said before, told later
    given(
        label(kept, "2026-03-11 16:00", "a person", sentiment="mixed"),
        label(uuid7(), "2026-03-11 16:00", sentiment="mixed"),
    )
    given.build(*DAYS, upto="silver.message_labels")
    rows = given.rows("SELECT * EXCEPT (labelled_at) FROM silver.message_labels ORDER BY day")
    about = {"message_id": kept, "conversation_id": talk.id, "customer_id": named("customer ana")}
    assert rows == [
        {**about, "day": at(DAYS[0]).date(), "teacher": "gpt", "sentiment": "negative", "intent": "outage", "confidence": 0.9,
         "chosen_by": "random", "prompt": "v2"},
        {**about, "day": at(DAYS[1]).date(), "teacher": "a person", "sentiment": "mixed", "intent": "", "confidence": 1.0,
         "chosen_by": "", "prompt": ""},
    ]  # fmt: skip
    again = label(kept, "2026-03-12 16:00", sentiment="neutral", confidence=0.5)
    given(again)
    given.build("2026-03-12", upto="silver.message_labels")
    assert [(one.sentiment, one.source, one.weight) for one in teacher_labels(given.warehouse)] == [
        ("mixed", "a person", 0.5), ("neutral", "gpt", 0.25),
    ], "the newest of all days, and never more than half a line of the corpus"  # fmt: skip


async def test_an_erased_person_has_no_label(given: Given, warehouse_settings: Settings) -> None:
    talks = [Talk(name, "2026-03-10 14:00") for name in ("ana", "bia")]
    for talk in talks:
        message = talk.customer("2026-03-10 14:00", f"oi, aqui é {talk.name}")
        given(*talk.events, MessageLabelled(
            aggregate_id=message, aggregate_version=1, occurred_at=at("2026-03-10 16:00"), customer_id=named(f"customer {talk.name}"),
            teacher="gpt", sentiment="neutral",
        ))  # fmt: skip
    given.build(*DAYS, upto="silver.message_labels")
    counts = await erase_texts(warehouse_settings, [named("customer ana")])
    assert counts["silver.message_labels"] == 1
    left = "SELECT count() AS n, countIf(customer_id IS NULL) AS nobody FROM silver.message_labels"
    assert given.row(left) == {"n": 2, "nobody": 1} and len(teacher_labels(given.warehouse)) == 1
    given.build(*DAYS, upto="silver.message_labels")
    assert given.row(left) == {"n": 1, "nobody": 0}


def test_many_messages_are_read_in_batches(
    given: Given, reader: MessageReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    original: Callable[..., Any] = MessageReader.read

    def counted(self: MessageReader, texts: list[str]) -> Any:
        sizes.append(len(texts))
        return original(self, texts)

    monkeypatch.setattr(MessageReader, "read", counted)
    monkeypatch.setattr(reading, "BATCH", 256)
    talk = Talk("ana", "2026-03-10 12:00")
    for place in range(600):
        talk.customer(at(f"2026-03-10 {13 + place // 60}:{place % 60:02}"), f"preciso do boleto {place % 7}")
    given(*talk.events)
    assert built(given, reader) == 600
    assert sizes == [256, 256, 88]
