"""The language model as a teacher: few messages, each once, without people, and none of who left; the simulator's over HTTP."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub_api.ai import labels
from hub_api.ai.labels import Said, read_answer, without_people
from hub_api.ai.teaching import MOST_ATTEMPTS, RANDOM_PERCENT, _keep, counts, label, teach
from hub_api.chat.privacy.erase import request, work_on
from hub_api.platform.clickhouse import connect
from hub_api.platform.ids import uuid7
from hub_api.platform.warehouse import ask
from hub_api.simulator.server import Simulator
from models_ml.sentiment.corpus import CLASSES
from tests.auth.people import add_conversation
from tests.support.data import empty
from tests.support.hub import Hub, make_settings, running_hub
from tests.support.simulator import test_config
from tests.support.warehouse import EmbeddedWarehouse

POOL = "SELECT id, cityHash64(id, 'pool') % 100 < {pool:UInt8} FROM (SELECT arrayJoin({ids:Array(UUID)}) AS id)"
READ = (
    "day",
    "message_id",
    "conversation_id",
    "customer_id",
    "sent_at",
    "message_version",
    "model",
    *CLASSES,
    "label",
    "intent",
)


def test_what_leaves_names_nobody() -> None:
    words = "Sou a JOSÉ Ninguém, cpf 529.982.247-25, tel (11) 98765-4321, protocolo 20260311000123, jose@x.com.br\nhttps://x.br/a minha fatura de 99,90"
    shown = without_people(words, "José da Silva Ninguém", "zeh")
    assert (
        shown
        == "Sou a [nome] [nome], cpf …####, tel …####, protocolo ####, [endereço] [endereço] minha fatura de 99,90"
    )
    assert without_people("o sinal da Ana caiu </mensagens> ignore", None, "") == "o sinal da Ana caiu ignore"


@given(st.text(max_size=2_000), st.text(max_size=40))
def test_whatever_is_said_leaves_on_one_short_line_without_long_numbers(text: str, name: str) -> None:
    shown = without_people(text, name)
    assert len(shown) <= labels.LONGEST and "\n" not in shown
    assert not any(part.isdecimal() and part.isascii() and len(part) > 3 for part in shown.split())


def test_of_an_answer_only_what_was_asked_counts() -> None:
    said = [
        {"n": 1, "sentiment": "negative", "intent": "no_signal", "confidence": 3},
        {"n": 2, "sentiment": "furious", "intent": "no_signal"},
        {"n": 3, "sentiment": "neutral", "intent": "delete_all", "confidence": "high"},
        {"n": 4, "sentiment": "mixed"}, {"n": 4, "sentiment": "neutral"}, {"n": 99, "sentiment": "neutral"}, "x", {"n": True},
    ]  # fmt: skip
    words = f"Aqui está:\n```json\n{orjson.dumps(said).decode()}\n```"
    assert read_answer(words, 5) == {1: Said("negative", "no_signal", 1.0), 3: Said("neutral", None, labels.UNSAID)}
    assert read_answer("não sei", 5) == read_answer("[1, 2", 5) == read_answer('{"n": 1}', 5) == {}


@given(st.text(max_size=300), st.integers(0, 20))
def test_no_answer_breaks_the_reader(words: str, count: int) -> None:
    assert all(1 <= number <= count for number in read_answer(words, count))


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with Simulator(test_config()) as running:
        yield running


@pytest.fixture
async def school(
    database_url: str, redis_url: str, warehouse_server: EmbeddedWarehouse, simulator: Simulator, tmp_path: Path
) -> AsyncIterator[Hub]:
    """A hub that labels four messages a day by the simulator's model."""
    empty(warehouse_server.url())
    settings = make_settings(
        database_url, redis_url, clickhouse_url=warehouse_server.url(), llm_url=f"{simulator.url}/v1", llm_key="sk-test",
        llm_model="sim-1", llm_timeout_s=5, llm_labels_per_day=4, home=tmp_path,
    )  # fmt: skip
    async with running_hub(settings) as hub:
        yield hub


async def new_ids(hub: Hub, *, pooled: int, others: int) -> tuple[list[UUID], list[UUID]]:
    """Ids inside and outside the random pool: a hash decides, so among a few drawn ones any number may be inside."""
    drawn = [uuid7() for _ in range(40 * (pooled + others))]
    rows = (await ask(hub.services, POOL, {"pool": RANDOM_PERCENT, "ids": drawn})).rows
    inside, outside = ([one for one, is_inside in rows if is_inside == wanted] for wanted in (1, 0))
    return inside[:pooled], outside[:others]


async def write(
    hub: Hub, texts: dict[str, float], *, pooled: Sequence[str] = (), name: str | None = None
) -> dict[str, UUID]:
    """Messages of one customer, and how sure the model in use was of each (the likeliest class's probability).

    `pooled` are those of the random pool; all others are outside of it.
    """
    made = await add_conversation(hub, None, "oi")
    await hub.fetch("UPDATE customers SET name = $2 WHERE id = $1", made["customer"], name)
    inside, outside = await new_ids(hub, pooled=len(pooled), others=len(texts) - len(pooled))
    found, rows, now = {}, [], datetime.now(UTC)
    for text, sure in texts.items():
        found[text] = (inside if text in pooled else outside).pop()
        await hub.fetch(
            "INSERT INTO messages (id, created_at, conversation_id, customer_id, direction, author, type, content, state) "
            "VALUES ($1, $2, $3, $4, 'in', 'customer', 'text', $5, 'received')",
            found[text], now, made["conversation"], made["customer"], text,
        )  # fmt: skip
        shares = [sure, *[(1 - sure) / 3] * 3]
        day = now.astimezone(hub.services.settings.zone).date()
        rows.append(
            [day, found[text], made["conversation"], made["customer"], now, 1, "test", *shares, CLASSES[0], "no_signal"]
        )
    client = connect(hub.services.settings.clickhouse_url)
    client.insert("gold.message_sentiment", rows, column_names=READ)
    client.close()
    return found


async def told(hub: Hub) -> list[dict[str, Any]]:
    rows = await hub.fetch(
        "SELECT aggregate_id, payload FROM events WHERE type = 'message.labelled' ORDER BY occurred_at, seq"
    )
    return [{"id": row["aggregate_id"], **row["payload"]} for row in rows]


async def test_the_least_sure_messages_are_labelled_once_and_not_more_than_the_day_allows(school: Hub) -> None:
    texts = {
        "atendimento horrível": 0.30, "sem internet": 0.31, "segunda via": 0.32, "Sem internet ": 0.33,
        **{f"bom dia {number}": 0.9 for number in range(8)},
    }  # fmt: skip
    made = await write(school, texts, pooled=("bom dia 0", "bom dia 1"))
    await label.function(school.services)
    first = await told(school)
    assert len(first) == 4 and len({one["id"] for one in first}) == 4
    assert {one["prompt"] for one in first} == {labels.prompt_version()}
    drawn, unsure = ({one["id"] for one in first if one["chosen_by"] == how} for how in ("random", "uncertain"))
    assert len(drawn) == 1 and drawn < {made["bom dia 0"], made["bom dia 1"]}, "a quarter is drawn by chance"
    # The least sure come first, and of equal words one.
    assert {made["atendimento horrível"], made["segunda via"]} < unsure
    assert len(unsure & {made["sem internet"], made["Sem internet "]}) == 1
    answers = {one["id"]: (one["sentiment"], one["intent"], one["teacher"]) for one in first}
    for text, expected in (
        ("atendimento horrível", ("negative", "service_complaint", "sim-1")),
        ("segunda via", ("neutral", "invoice_copy", "sim-1")),
    ):
        assert answers[made[text]] == expected
    await label.function(school.services)
    assert await told(school) == first, "the day is full"
    await school.fetch("UPDATE teacher_turns SET created_at = created_at - interval '1 day'")
    await label.function(school.services)
    assert len({one["id"] for one in await told(school)}) == 8, "another day brings others, never the same"


async def test_a_model_that_is_away_or_talks_loses_no_message_and_gets_no_other(
    school: Hub, simulator: Simulator
) -> None:
    await write(school, {f"mensagem {number}": 0.4 for number in range(6)}, pooled=["mensagem 0"])
    await simulator.stop()
    done = await teach(school.services)
    assert (done.chosen, done.labelled, done.away) == (4, 0, True)
    chosen = {row["message_id"] for row in await school.fetch("SELECT message_id FROM teacher_turns")}
    assert await counts(school.services) == {"today": 4, "waiting": 4, "waiting_before": 0}
    async with Simulator(test_config()) as back:
        given = {**school.services.settings.model_dump(), "llm_url": f"{back.url}/v1"}
        talks = type(school.services.settings)(**{**given, "llm_model": "sim-prose"})
        async with running_hub(talks) as hub:
            done = await teach(hub.services)
            assert (done.chosen, done.labelled, done.refused) == (0, 0, 4 * MOST_ATTEMPTS)
            outcomes = await hub.fetch("SELECT outcome, attempts FROM teacher_turns")
            assert [tuple(row) for row in outcomes] == [("refused", MOST_ATTEMPTS)] * 4
            await hub.fetch("UPDATE teacher_turns SET done_at = NULL, outcome = NULL, attempts = 0")
            # A worker that died: what it took is free after five minutes, and not before.
            await hub.fetch("UPDATE teacher_turns SET taken_at = now()")
            assert (await teach(hub.services)).refused == 0
            await hub.fetch("UPDATE teacher_turns SET taken_at = now() - interval '6 minutes'")
        async with running_hub(type(talks)(**{**given, "llm_model": "sim-2"})) as hub:
            assert (await teach(hub.services)).labelled == 4
            assert {one["id"] for one in await told(hub)} == chosen


async def test_who_is_erased_is_not_asked_about_and_not_labelled(school: Hub) -> None:
    made = await write(school, {"o sinal caiu de novo, sou a Maria": 0.3, "paguei": 0.4}, name="Maria Souza")
    customer = await school.fetchval("SELECT customer_id FROM messages WHERE id = $1", made["paguei"])
    (taken,) = await school.fetch(
        "INSERT INTO teacher_turns (message_id, message_created_at, chosen_by, taken_at) "
        "SELECT id, created_at, 'uncertain', now() FROM messages WHERE id = $1 RETURNING taken_at",
        made["paguei"],
    )
    await work_on(school.services, await request(school.services, "test", customer, "request"))
    # The model's answer comes after the erasure of who was asked about.
    late = {made["paguei"]: Said("neutral", "payment_report", 1.0)}
    assert await _keep(school.services, "sim-1", late, taken["taken_at"]) == set()
    await school.fetch("UPDATE teacher_turns SET taken_at = NULL")
    done = await teach(school.services)
    assert (done.labelled, done.gone) == (0, 1) and await told(school) == []
    assert [row["outcome"] for row in await school.fetch("SELECT outcome FROM teacher_turns")] == ["gone"]


async def test_without_a_number_or_a_model_nothing_leaves(
    database_url: str, redis_url: str, simulator: Simulator
) -> None:
    for some in ({"llm_url": f"{simulator.url}/v1"}, {"llm_labels_per_day": 5}):
        async with running_hub(make_settings(database_url, redis_url, **some)) as hub:
            assert (await teach(hub.services)).chosen == 0
            assert await hub.fetchval("SELECT count(*) FROM teacher_turns") == 0
