"""A log of real support conversations (CSV) brought in through the hub's own tables and events.

Columns, by any of their usual names: id, author, inbound (true from a customer), time, text, reply to (the id that the
message answers). Threads are followed by `reply to`; each customer in a thread has a conversation of their own, with
the answers given to them. Every row is accounted for in a report: imported, or why not.
"""

import csv
import gzip
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from random import Random
from uuid import UUID, uuid5

from hub_api.errors import Invalid
from hub_api.platform.services import Services
from hub_api.simulator.history.recorder import Delivery, Recorder
from hub_api.simulator.history.store import ensure_agents, ensure_months, ensure_queue, reserve_protocols, store_rows

NAMES: dict[str, tuple[str, ...]] = {
    "id": ("id", "tweet_id", "message_id"),
    "author": ("author", "author_id", "autor"),
    "inbound": ("inbound", "entrada"),
    "time": ("time", "created_at", "timestamp", "data"),
    "text": ("text", "texto", "content"),
    "reply_to": ("reply_to", "in_response_to_tweet_id", "in_reply_to", "resposta_a"),
}
NAMESPACE = UUID("6f1d6a52-6f0e-4c0e-9d8e-2f7f2d1b8a11")
QUEUE = ("importado", "Atendimentos importados")
TRUE, FALSE = frozenset({"true", "1", "yes", "sim", "t"}), frozenset({"false", "0", "no", "não", "nao", "f"})
THREADS_A_TRANSACTION = 500


@dataclass(frozen=True, slots=True)
class Line:
    """One message of the log."""

    number: int  # line in the file, the header is 1
    id: str
    author: str
    inbound: bool
    at: datetime
    text: str
    reply_to: str | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one line."""

    line: int
    id: str
    outcome: str  # imported, skipped
    reason: str = ""


def read_log(path: Path) -> tuple[list[Line], list[Outcome]]:
    """The log's good lines and the reasons for the others. Raises Invalid when a needed column is missing."""
    opener = gzip.open if path.suffix == ".gz" else open
    lines: dict[str, Line] = {}
    skipped: list[Outcome] = []
    with opener(path, "rt", encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        columns = _columns(path, rows.fieldnames or ())
        for row in rows:
            found = {name: (row.get(column) or "").strip() for name, column in columns.items()}
            line = _line(rows.line_num, found)
            if isinstance(line, str):
                skipped.append(Outcome(rows.line_num, found["id"], "skipped", line))
            elif line.id in lines:
                skipped.append(
                    Outcome(rows.line_num, line.id, "skipped", f"id {line.id} was seen on line {lines[line.id].number}")
                )
            else:
                lines[line.id] = line
    return list(lines.values()), skipped


def _columns(path: Path, header: Sequence[str]) -> dict[str, str]:
    lower = {"_".join(name.lower().split()): name for name in header}
    columns = {name: next((lower[alias] for alias in aliases if alias in lower), "") for name, aliases in NAMES.items()}
    if missing := [name for name, column in columns.items() if not column]:
        raise Invalid(f"{path.name} has no column for {', '.join(missing)}; its header is {', '.join(header)}")
    return columns


def _line(number: int, row: dict[str, str]) -> Line | str:
    """The line, or the reason why it is none."""
    inbound = row["inbound"].lower()
    if inbound not in TRUE | FALSE:
        return f"inbound is {row['inbound']!r}: say true or false"
    if not row["id"] or not row["author"]:
        return "id or author is empty"
    if not row["text"]:
        return "text is empty"
    at = _time(row["time"])
    if at is None:
        return f"time {row['time']!r} is neither ISO 8601 nor an Internet date"
    return Line(
        number, row["id"], row["author"], inbound in TRUE, at, row["text"].replace("\x00", "�"), row["reply_to"] or None
    )


def _time(text: str) -> datetime | None:
    for read in (datetime.fromisoformat, _twitter_time, parsedate_to_datetime):
        try:
            moment = read(text)
        except (ValueError, TypeError):
            continue
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    return None


def _twitter_time(text: str) -> datetime:
    return datetime.strptime(text, "%a %b %d %H:%M:%S %z %Y")


def conversations(lines: Iterable[Line]) -> tuple[dict[tuple[str, str], list[Line]], list[Outcome]]:
    """Lines by (first message of the thread, customer) in order of time, and those that belong to no customer.

    An answer belongs to the customer whose message it answers, directly or through other answers; the opening message
    of a company belongs to each customer who answers it first.
    """
    by_id = {line.id: line for line in lines}
    answers: dict[str, list[Line]] = defaultdict(list)
    for line in by_id.values():
        if line.reply_to:
            answers[line.reply_to].append(line)
    found: dict[tuple[str, str], list[Line]] = defaultdict(list)
    lost: list[Outcome] = []
    for line in by_id.values():
        customer = line.author if line.inbound else _customer(line, by_id) or _first_answerer(line, answers)
        if customer is None:
            lost.append(
                Outcome(line.number, line.id, "skipped", "no customer: it answers nobody and nobody answers it")
            )
        else:
            found[_root(line, by_id), customer].append(line)
    return {
        key: sorted(thread, key=lambda line: (line.at, int(line.id) if line.id.isdigit() else 0))
        for key, thread in found.items()
    }, lost


def _ancestors(line: Line, by_id: dict[str, Line]) -> Iterable[Line]:
    seen = {line.id}
    while line.reply_to and line.reply_to in by_id and line.reply_to not in seen:
        line = by_id[line.reply_to]
        seen.add(line.id)
        yield line


def _customer(line: Line, by_id: dict[str, Line]) -> str | None:
    return next((ancestor.author for ancestor in _ancestors(line, by_id) if ancestor.inbound), None)


def _first_answerer(line: Line, answers: dict[str, list[Line]]) -> str | None:
    inbound = [answer for answer in answers[line.id] if answer.inbound]
    return min(inbound, key=lambda answer: answer.at).author if inbound else None


def _root(line: Line, by_id: dict[str, Line]) -> str:
    root = line.id
    for ancestor in _ancestors(line, by_id):
        root = ancestor.id
    return root


async def import_log(services: Services, path: Path, report: Path) -> dict[str, int]:
    """Import the log at `path`, write the per-row report (CSV) and return counts. Importing again adds nothing."""
    lines, outcomes = read_log(path)
    threads, lost = conversations(lines)
    outcomes += lost
    found = await services.db.fetch(
        "SELECT wamid FROM message_key WHERE wamid = ANY($1)", [_key(line) for line in lines]
    )
    known = {row["wamid"] for row in found}
    rng = Random(path.name)
    async with services.db.acquire() as db:
        await ensure_months(db, (line.at.date() for line in lines))
        queue_id = await ensure_queue(db, *QUEUE)
        names = sorted({line.author for line in lines if not line.inbound})
        agents = dict(zip(names, await ensure_agents(db, names), strict=True))
        customers = {row["id"] for row in await db.fetch("SELECT id FROM customers")}
    recorder = Recorder(
        rng, number_id=None, portfolio_id="", queue_id=queue_id, queue=QUEUE[0], shards=services.settings.outbox_shards,
        zone=services.settings.zone, protocols=await reserve_protocols(services.db, len(threads) + 1), until=datetime.max.replace(tzinfo=UTC),
    )  # fmt: skip
    for number, ((_, author), thread) in enumerate(sorted(threads.items(), key=lambda item: item[1][0].at), start=1):
        if any(_key(line) in known for line in thread):
            outcomes += [Outcome(line.number, line.id, "skipped", "imported before") for line in thread]
            continue
        customer_id = uuid5(NAMESPACE, author)
        if customer_id not in customers:
            customers.add(customer_id)
            recorder.customer(customer_id, thread[0].at, None, {}, None, source="import")
        _record(recorder, customer_id, author, thread, agents)
        outcomes += [Outcome(line.number, line.id, "imported") for line in thread]
        if number % THREADS_A_TRANSACTION == 0:
            await store_rows(services.db, recorder.take())
    await store_rows(services.db, recorder.take())
    _write_report(report, outcomes)
    imported = sum(outcome.outcome == "imported" for outcome in outcomes)
    return {
        "lines": len(outcomes),
        "imported": imported,
        "skipped": len(outcomes) - imported,
        "conversations": len(threads),
    }


def _record(
    recorder: Recorder, customer_id: UUID, author: str, thread: Sequence[Line], agents: dict[str, UUID]
) -> None:
    talk = recorder.open(customer_id, author, thread[0].at, state="queued", channel="import")
    talk.times["queued"] = thread[0].at
    for line in thread:
        if line.inbound:
            recorder.receive(talk, line.at, line.text, wamid=_key(line))
            continue
        if talk.state == "queued":
            recorder.move(talk, line.at, "assigned", "imported", agents[line.author])
        delivered = Delivery(0.0, None)
        recorder.send(
            talk, line.at, line.text, delivered, author="agent", author_id=agents[line.author], wamid=_key(line)
        )
    recorder.move(talk, thread[-1].at, "closed", "log_ended")
    recorder.finish(talk, thread[-1].at)


def _key(line: Line) -> str:
    return f"log.{line.id}"


def _write_report(path: Path, outcomes: Iterable[Outcome]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("line", "id", "outcome", "reason"))
        writer.writerows(
            (row.line, row.id, row.outcome, row.reason) for row in sorted(outcomes, key=lambda row: row.line)
        )
