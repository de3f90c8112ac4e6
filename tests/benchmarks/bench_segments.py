"""(h) Segments: preview, a key figure, features of a day and members of 100 segments, at a million customers with 10 messages each.

The customers are made inside the engine: a quarter silent, the rest by a long tail; contracts, invoices, actions of 90 days.
"""

import asyncio
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

from assets.gold.customer.assets import build_features
from assets.gold.segment.definitions import Definition
from assets.gold.segment.membership import refresh
from assets.gold.value.learn import build_clusters, build_value
from assets.warehouse import Warehouse
from hub_api.platform.clickhouse import apply_schema
from models_ml.segmentation.compile import compile_tree, members_query, preview_query
from models_ml.segmentation.parse import parse
from tests.benchmarks.report import Row, peak_memory
from tests.support.data import data_settings_for
from tests.support.warehouse import EmbeddedWarehouse

CUSTOMERS, MESSAGES, ROUNDS = 1_000_000, 10, 5
AS_OF = date(2026, 10, 25)  # a Sunday
_ID = "toUUID(concat(lower(hex(toUInt64(1800000000000000000 + {who}))), lpad(lower(hex(sipHash64({who}))), 16, '0')))"
_FILL = (
    """INSERT INTO silver.customers SELECT {id} AS customer_id, customer_id, 'active', ['SP', 'RJ', 'MG', 'PR', 'BA'][1 + number % 5], 'pt_BR',
        if(number % 7 = 0, ['vip'], []), toDateTime64('2025-01-01', 6, 'UTC') FROM numbers({n})""",
    """INSERT INTO silver.contracts SELECT concat('c', toString(number)), {id}, concat('p', toString(number % 6)), 'Plano',
        ['fiber', 'mobile_control', 'mobile_postpaid', 'combo'][1 + number % 4], 300, 20, 60000000 + number % 100 * 1000000, 'BRL',
        if(number % 20 = 0, 'suspended', 'active'), ['São Paulo', 'Campinas', 'Niterói'][1 + number % 3], ['SP', 'RJ', 'MG', 'PR', 'BA'][1 + number % 5],
        concat('R', toString(number % 50)), toDate32('2020-01-01') + number % 2000, NULL, now64() FROM numbers({n})""",
    """INSERT INTO silver.invoices SELECT concat('i', toString(number)), concat('c', toString(intDiv(number, 3))), {id3}, toDate32('2026-08-01'),
        90000000, 'BRL', toDate32('2026-08-10') + 30 * (number % 3), 'open', 0,
        if(sipHash64(number) % 9 = 0, NULL, toDateTime64('2026-08-08', 6, 'UTC') + toIntervalDay(30 * (number % 3) + sipHash64(number) % 6)), now64()
        FROM numbers({n3})""",
    """INSERT INTO gold.customer_actions_daily SELECT day, {idw} AS customer_id, action, if(startsWith(action, 'campaign'), concat('t', toString(rand(3) % 9)), 'text'),
        count(), sum(if(action = 'rated', 1 + rand(4) % 5, 0)), min(at), max(at)
        FROM (
            SELECT toUInt64({n} * pow(rand() / 4294967296., 1.6) * 0.75) AS who, {{as_of:Date}} - toIntervalDay(rand(1) % 90) AS day,
                ['message', 'message', 'message', 'message', 'contact', 'contact', 'technical_contact', 'campaign_received', 'campaign_read', 'rated'][1 + rand(2) % 10] AS action,
                toDateTime64(day, 6, 'UTC') + toIntervalSecond(10800 + rand(5) % 70000) AS at
            FROM numbers({m})
        ) GROUP BY day, customer_id, action, 4""",
)  # fmt: skip


def trees() -> list[dict[str, Any]]:
    """A hundred segments as marketers make them: of features alone, of windows of their own, of sequences, of all together."""
    made: list[dict[str, Any]] = []
    for place in range(25):
        window, count = 10 + 3 * place, 1 + place % 3
        behaviour = {
            "type": "behaviour",
            "action": "technical_contact",
            "op": "ge",
            "count": count,
            "window_days": window,
        }
        where = {"type": "geography", "level": "state_code", "places": [["SP", "RJ"], ["MG"], ["BA", "PR"]][place % 3]}
        plan = {
            "type": "attribute",
            "field": "plan_kind",
            "op": "in",
            "value": [["fiber"], ["combo", "mobile_control"]][place % 2],
        }
        debt = {"type": "attribute", "field": "late_days", "op": "gt", "value": 5 * place}
        known = {"type": "behaviour", "action": "message", "op": "ge", "count": 1 + place % 5, "window_days": 30}
        made += [
            {"type": "and", "of": [plan, where, debt]},
            {"type": "and", "of": [known, {"type": "not", "of": debt}, {"type": "random", "salt": f"s{place}", "from_percent": 0, "to_percent": 50}]},
            {"type": "and", "of": [behaviour, plan]},
            {"type": "or", "of": [
                {"type": "sequence", "first": {"action": "campaign_received"}, "then": {"action": "contact"}, "within_days": 3, "window_days": 20 + place},
                {"type": "and", "of": [where, {"type": "tags", "test": "any", "tags": ["vip"]}]},
            ]} if place % 2 else {"type": "campaign", "response": "not_read", "window_days": window, "template": [f"t{place % 9}"]},
        ]  # fmt: skip
    return made


def timed(act: Callable[[], Any]) -> tuple[float, Any]:
    """Median seconds of five rounds, and the last answer."""
    seconds, answer = [], None
    for _ in range(ROUNDS):
        began = time.perf_counter()
        answer = act()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds), answer


def once(act: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds of one call, and its answer."""
    began = time.perf_counter()
    answer = act()
    return time.perf_counter() - began, answer


async def run(scale: float) -> list[Row]:
    """Figures at a million customers and ten million messages times `scale`."""
    return await asyncio.to_thread(_run, max(2_000, int(CUSTOMERS * scale)))


def _run(customers: int) -> list[Row]:
    """A tenth first: what ten times as many customers cost is told beside each figure."""
    tenth, whole = _measured(max(1_000, customers // 10)), _measured(customers)
    return [_grown(row, before) for row, before in zip(whole, tenth, strict=True)]


def _grown(row: Row, before: Row) -> Row:
    return replace(row, note="; ".join(part for part in (row.note, f"{before.figure} with a tenth") if part))


def _measured(customers: int) -> list[Row]:
    with EmbeddedWarehouse() as server:
        settings = data_settings_for("postgresql://none@127.0.0.1:1/none", server.url())
        apply_schema(settings)
        warehouse = Warehouse(settings)
        filled = once(lambda: _fill(warehouse, customers))[0]
        rows = [
            Row(
                f"{customers:,} customers, {customers * MESSAGES:,} messages and other actions made",
                f"{filled:.0f} s",
                note=f"{customers * MESSAGES / filled:,.0f} rows/s",
            )
        ]
        rows += [*_features(warehouse, customers), *_asked(warehouse), *_members(warehouse)]
        if server.process:
            rows.append(Row("memory of the engine at its highest", peak_memory(server.process.pid)))
        warehouse.close()
    return rows  # fmt: skip


def _fill(warehouse: Warehouse, customers: int) -> None:
    for sql in _FILL:
        shown = sql.format(
            n=customers, n3=3 * customers, m=MESSAGES * customers, id=_ID.format(who="number"), id3=_ID.format(who="intDiv(number, 3)"),
            idw=_ID.format(who="who"),
        )  # fmt: skip
        warehouse.client.command(shown, parameters={"as_of": AS_OF} if "{as_of:" in shown else None)


def _features(warehouse: Warehouse, customers: int) -> list[Row]:
    seconds, built = once(lambda: build_features(warehouse, [AS_OF.isoformat()]))
    value = once(lambda: build_value(warehouse))[0]
    groups, fit = once(lambda: build_clusters(warehouse))
    return [
        Row("features of a day", f"{seconds:.1f} s", note=f"{sum(built.values()) / seconds:,.0f} customers/s"),
        Row("RFM and value tiers", f"{value:.1f} s", note=f"{customers / value:,.0f} customers/s"),
        Row("learned groups, a new fit", f"{groups:.1f} s", note=f"{fit.model.k} groups, stability {fit.model.stability[fit.model.k]:.2f}" if fit else "none"),
    ]  # fmt: skip


# The same questions as somebody who knows the tables would write them.
_BY_HAND = {
    "preview of features alone": (
        0, "SELECT count() FROM gold.customer_features WHERE day = '2026-10-25' AND plan_kind = 'fiber' AND state_code IN ('SP', 'RJ') AND late_days > 0",
    ),
    "preview of a window of its own": (
        2, "SELECT count() FROM gold.customer_features WHERE day = '2026-10-25' AND plan_kind = 'fiber' AND customer_id IN (SELECT customer_id FROM "
        "gold.customer_actions_daily WHERE action = 'technical_contact' AND day > '2026-10-15' AND day <= '2026-10-25' GROUP BY customer_id HAVING sum(actions) >= 1)",
    ),
    "preview of a sequence": (
        7, "SELECT count() FROM gold.customer_features WHERE day = '2026-10-25' AND ((state_code = 'MG' AND has(tags, 'vip')) OR customer_id IN ("
        "SELECT customer_id FROM (SELECT customer_id, groupArrayIf((day, first_at, last_at), action = 'campaign_received') AS a, groupArrayIf((day, first_at, last_at), action = 'contact') AS b "
        "FROM gold.customer_actions_daily WHERE action IN ('campaign_received', 'contact') AND day > '2026-10-04' AND day <= '2026-10-25' GROUP BY customer_id) "
        "WHERE arrayExists(x -> arrayExists(y -> (x.1 = y.1 AND x.2 < y.3) OR (x.1 < y.1 AND y.2 <= x.3 + INTERVAL 3 DAY), b), a)))",
    ),
}  # fmt: skip


def _asked(warehouse: Warehouse) -> list[Row]:
    rows = []
    for what, (place, plain) in _BY_HAND.items():
        sql, parameters = preview_query(compile_tree(parse(trees()[place]), AS_OF), AS_OF, 10)
        ours, found = timed(lambda sql=sql, parameters=parameters: warehouse.rows(sql, **parameters))  # type: ignore[misc]
        theirs, count = timed(lambda plain=plain: warehouse.rows(plain))  # type: ignore[misc]
        if found[0][0] != count[0][0]:
            raise AssertionError(f"{what}: {found[0][0]} members by the tree, {count[0][0]} by hand")
        rows.append(
            Row(what, f"{ours * 1000:.0f} ms", theirs / ours, f"by hand, {theirs * 1000:.0f} ms", note=f"{found[0][0]:,} members; with sample; under 1 s")
        )  # fmt: skip
    figure = "SELECT day, sum(actions), uniqExact(customer_id) FROM gold.customer_actions_daily WHERE action = 'contact' AND day > '2026-09-25' GROUP BY day ORDER BY day"
    seconds, _ = timed(lambda: warehouse.rows(figure))
    rows.append(
        Row("a key figure: contacts and customers by day, 30 days", f"{seconds * 1000:.0f} ms", note="under 1 s")
    )
    return rows


def _members(warehouse: Warehouse) -> list[Row]:
    segments = [Definition(UUID(int=place + 1), f"s{place}", 1, parse(one)) for place, one in enumerate(trees())]
    first, done = once(lambda: refresh(warehouse, segments))
    again, same = once(lambda: refresh(warehouse, segments))
    changed = [*segments[:-1], Definition(segments[-1].id, "s99", 2, parse(trees()[0]))]
    one, _ = once(lambda: refresh(warehouse, changed))
    by_hand = 0.0
    for segment in segments:
        assert segment.node is not None
        sql, parameters = members_query(compile_tree(segment.node, AS_OF), AS_OF)
        by_hand += once(
            lambda sql=sql, parameters=parameters: warehouse.rows(f"SELECT count() FROM ({sql})", **parameters)
        )[0]  # type: ignore[misc]
    return [
        Row("members of 100 segments, the first time", f"{first:.1f} s", note=f"{done.members:,} members, {done.entered:,} rows of history; under 120 s"),
        Row("100 queries that only count them", f"{by_hand:.1f} s", by_hand / first, "this by the whole refresh"),
        Row("again, nothing changed", f"{again:.1f} s", note=f"{same.same} segments left as they were"),
        Row("again, one definition changed", f"{one:.1f} s"),
    ]  # fmt: skip
