"""Comparing what the live tables and a shadow made of the same webhooks, by hashes, record by record."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import NamedTuple

from hub_api.platform.pgtypes import Pool, Row
from hub_api.whatsapp.shadow.replay import Range
from hub_api.whatsapp.shadow.sql import queries

CHUNK = 5_000
# What was stored just after `since` may have been received before it.
EDGE = timedelta(minutes=1)
SHOWN = 20
EVER = (datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC))


class Fact(NamedTuple):
    """What one database says of a record: its hash (None: nothing that could be compared is kept), its id there, and when
    it was changed last (if that is known)."""

    hash: str | None
    id: str
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """One record that differs: `how` is `differs`, `missing in shadow` or `missing in live`; `record` is the live id, or
    a digest of the key where there is none (a wamid holds a phone number)."""

    how: str
    record: str


@dataclass(slots=True)
class Comparison:
    """One kind of record: how many were compared, how many agree, how many changed after the range and say nothing."""

    name: str
    compared: int = 0
    equal: int = 0
    changed_later: int = 0
    differences: list[Difference] = field(default_factory=list)

    @property
    def differing(self) -> int:
        """How many records differ; `differences` lists the first of them."""
        return self.compared - self.equal


async def compare(live: Pool, shadow: Pool, given: Range) -> list[Comparison]:
    """Every kind of record that webhooks alone decide, in the live tables and in the shadow."""
    brought = await _column(shadow, queries.brought_wamids)
    brought |= await _column(live, queries.brought_since, given.since + EDGE, given.until)
    sent = await _column(shadow, queries.sent_wamids)
    sides = (live, shadow)
    facts = {
        name: [await _of(pool, query, wamids) for pool in sides]
        for name, query, wamids in (
            ("statuses", queries.statuses_of, sent),
            ("consents", queries.consents_of, brought),
        )
    }
    facts["files"] = _told_by_both(*[await _of(pool, queries.files_of, brought) for pool in sides])
    facts["preferences"] = await _preferences(live, shadow, given)
    for name, query in (("channel updates", queries.updates), ("dead letters", queries.put_aside)):
        facts[name] = [_facts(await pool.fetch(query, given.since, given.until)) for pool in sides]
    told = [_compared(name, both, given) for name, both in facts.items()]
    return [*await _messages(live, shadow, brought, given), *told]


async def _messages(live: Pool, shadow: Pool, wamids: set[str], given: Range) -> tuple[Comparison, Comparison]:
    """The messages themselves, and who wrote together: each person told by the least wamid of theirs."""
    rows = [
        [row for chunk in _chunks(wamids) for row in await pool.fetch(queries.messages_of, chunk)]
        for pool in (live, shadow)
    ]
    both = set.intersection(*({row["key"] for row in side} for side in rows))  # what one side lacks is told once
    people = []
    for side in rows:
        first: dict[str, str] = {}
        for row in side:
            if row["key"] in both:
                first[row["customer"]] = min(first.get(row["customer"], row["key"]), row["key"])
        people.append({row["key"]: Fact(first[row["customer"]], row["id"]) for row in side if row["key"] in both})
    return _compared("messages", [_facts(side) for side in rows], given), _compared("people", people, given)


async def _of(pool: Pool, query: str, wamids: set[str]) -> dict[str, Fact]:
    return _facts([row for chunk in _chunks(wamids) for row in await pool.fetch(query, chunk)])


async def _preferences(live: Pool, shadow: Pool, given: Range) -> list[dict[str, Fact]]:
    """Wishes have no wamid: the shadow's are looked for by their time, which a late delivery does not change."""
    theirs = await shadow.fetch(queries.preferences, *EVER, [])
    since = given.since + EDGE
    ours = await live.fetch(queries.preferences, since, given.until, [row["time"] for row in theirs])
    return [_facts(ours), _facts(theirs)]


def _told_by_both(live: dict[str, Fact], shadow: dict[str, Fact]) -> list[dict[str, Fact]]:
    """Without the records of which one side keeps nothing to compare any more."""
    silent = {key for side in (live, shadow) for key, fact in side.items() if fact.hash is None}
    return [{key: fact for key, fact in side.items() if key not in silent} for side in (live, shadow)]


def _facts(rows: Iterable[Row]) -> dict[str, Fact]:
    return {row["key"]: Fact(row["hash"], row["id"], row.get("updated_at")) for row in rows}


def _compared(name: str, sides: Sequence[Mapping[str, Fact]], given: Range) -> Comparison:
    live, shadow = sides
    comparison = Comparison(name)
    for key in sorted(live.keys() | shadow.keys()):
        ours, theirs = live.get(key), shadow.get(key)
        if ours and theirs and ours.hash == theirs.hash:
            comparison.compared += 1
            comparison.equal += 1
        elif ours and ours.changed_at and ours.changed_at >= given.until:
            comparison.changed_later += 1
        else:
            comparison.compared += 1
            how = "differs" if ours and theirs else "missing in shadow" if ours else "missing in live"
            if len(comparison.differences) < SHOWN:
                comparison.differences.append(Difference(how, ours.id if ours else _digest(key)))
    return comparison


def _digest(key: str) -> str:
    return f"sha256:{sha256(key.encode()).hexdigest()[:16]}"


def _chunks(wamids: Iterable[str]) -> Iterator[list[str]]:
    ordered = sorted(wamids)
    for start in range(0, len(ordered), CHUNK):
        yield ordered[start : start + CHUNK]


async def _column(pool: Pool, query: str, *arguments: object) -> set[str]:
    return {row[0] for row in await pool.fetch(query, *arguments)}
