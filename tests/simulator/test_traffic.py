"""Live traffic: the customers of a history write at a rate, in words of the corpus and in real ones, stored as written."""

from collections import Counter

import pytest

from hub_api.simulator.corpus import load_corpus, real_texts
from hub_api.simulator.demo import connect_number, run_traffic
from hub_api.simulator.history.run import Plan, make_history
from hub_api.simulator.server import Simulator
from hub_api.simulator.traffic import Load
from tests.support.chance import drawn_seed
from tests.support.hub import make_settings, running_hub
from tests.support.simulator import TOKEN, test_config
from tests.support.waiting import eventually

SEED = drawn_seed()
# Real customers' texts of ../shared/data; where that is not, what such texts are like.
REAL = real_texts() or [f"{text} {number}" for number in range(100) for text in (
    "não  recebi o produto\r\ne ninguem responde", "otimo 👏🏽👏🏽", "chego antes do prazo,parabens", "\u200b☹️ pessimo",
    "Comprei 2 e só veio 1 , quero o outro ...", "recomendo a todos <b>muito bom</b> & barato",
)]  # fmt: skip


async def test_known_customers_write_at_a_rate_in_words_of_the_corpus_and_in_real_ones(database_url, redis_url):
    async with Simulator(test_config()) as simulator:
        settings = make_settings(database_url, redis_url, meta_base_url=simulator.url)
        await connect_number(settings, TOKEN)
        async with running_hub(settings) as hub:
            url = {"url": f"{hub.url}/webhooks/whatsapp"}
            async with hub.session.post(f"{simulator.url}/_sim/webhooks", json=url) as answer:
                assert answer.status == 200, await answer.text()
            known = await make_history(hub.services, Plan(days=2, customers=120, seed=SEED))
            before = await hub.fetchval("SELECT count(*) FROM messages WHERE direction = 'in'")
            load = Load(rate=50, seconds=4, seed=SEED, real_texts=REAL, real_share=0.5)
            written = await run_traffic(settings, load, agents=False)
            assert written == pytest.approx(200, abs=5 * 200**0.5), f"seed {SEED}: Poisson arrivals, 50 a second"

            async def stored():
                await hub.settled()
                return await hub.fetchval("SELECT count(*) FROM messages WHERE direction = 'in'") == before + written

            await eventually(stored, timeout_s=60)
            rows = await hub.fetch(
                "SELECT content FROM messages WHERE direction = 'in' ORDER BY id DESC LIMIT $1", written
            )
            said = Counter("real" if row["content"] in set(REAL) else "corpus" for row in rows)
            corpus = {line.text for line in load_corpus().utterances}
            assert {row["content"] for row in rows} <= corpus | set(REAL), "a text was changed on its way"
            assert 0.3 < said["real"] / written < 0.7, f"seed {SEED}: {said}"
            assert await hub.fetchval("SELECT count(*) FROM customers") == known["customers"], (
                "a known customer was not recognised"
            )
            assert await hub.fetchval("SELECT count(*) FROM dead_letter") == 0
            assert await hub.fetchval("SELECT count(DISTINCT protocol) FROM conversations WHERE state <> 'closed'") > 50
