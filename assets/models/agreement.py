"""Whether teachers and the model in use say the same of a message: shares, and what is left of them beyond chance."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from assets.warehouse import Warehouse, load_sql


@dataclass(frozen=True)
class Agreement:
    """Of the messages that a teacher labelled and the model read. `chosen_by` is random, uncertain, or empty where nobody chose
    (a person's labels); shares are 0 to 1, None of nothing."""

    teacher: str
    chosen_by: str
    messages: int
    sentiment: float
    kappa: float | None
    intent: float | None


def agreement(warehouse: Warehouse) -> list[Agreement]:
    """One entry for each teacher and way of choosing.

    Only messages drawn by chance tell how good the model is; uncertain ones were taken because it may be wrong. Days that were
    read again after a training with these labels agree more than new ones will.
    """
    groups: dict[tuple[str, str], list[Sequence[Any]]] = defaultdict(list)
    for teacher, chosen_by, *row in warehouse.rows(load_sql(__package__, "teacher_agreement.sql")):
        groups[teacher, chosen_by].append(row)
    return [_of(teacher, chosen_by, rows) for (teacher, chosen_by), rows in sorted(groups.items())]


def _of(teacher: str, chosen_by: str, rows: Sequence[Sequence[Any]]) -> Agreement:
    pairs = {(str(said), str(found)): int(messages) for said, found, messages, _, _ in rows}
    named, same = sum(int(row[3]) for row in rows), sum(int(row[4]) for row in rows)
    total = sum(pairs.values())
    share = sum(count for (said, found), count in pairs.items() if said == found) / total
    return Agreement(teacher, chosen_by, total, share, cohens_kappa(pairs), same / named if named else None)


def cohens_kappa(pairs: dict[tuple[str, str], int]) -> float | None:
    """(share of agreement − share by chance) / (1 − share by chance), by counts of pairs of classes; None where chance alone agrees
    always, or nothing is counted. Cohen, A coefficient of agreement for nominal scales (1960)."""
    total = sum(pairs.values())
    if not total:
        return None
    ones: dict[str, int] = defaultdict(int)
    others: dict[str, int] = defaultdict(int)
    for (one, other), count in pairs.items():
        ones[one] += count
        others[other] += count
    chance = float(sum(ones[name] * others[name] for name in ones.keys() & others.keys())) / total**2
    if chance == 1:
        return None
    share = sum(count for (one, other), count in pairs.items() if one == other) / total
    return (share - chance) / (1 - chance)


def as_markdown(found: Iterable[Agreement]) -> str:
    """A table for the asset's page."""
    lines = ["| teacher | chosen | messages | sentiment agrees | kappa | intent agrees |", "|---|---|---|---|---|---|"]
    lines += [
        f"| {one.teacher} | {one.chosen_by or '–'} | {one.messages} | {_shown(one.sentiment)} | {_shown(one.kappa)} | {_shown(one.intent)} |"
        for one in found
    ]
    return "\n".join(lines)


def _shown(share: float | None) -> str:
    return "–" if share is None else f"{share:.3f}"
