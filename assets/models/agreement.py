"""Whether teachers and the model in use say the same of a message: shares, and what is left of them beyond chance."""

from collections.abc import Iterable
from dataclasses import dataclass

from assets.warehouse import Warehouse

_AGREEMENT = """
SELECT teacher, chosen_by, messages, sentiment_share, kappa, intent_share FROM gold.teacher_agreement ORDER BY teacher, chosen_by
"""


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
    """One entry for each teacher and way of choosing, as gold.teacher_agreement has them.

    Only messages drawn by chance tell how good the model is; uncertain ones were taken because it may be wrong. Days that were
    read again after a training with these labels agree more than new ones will.
    """
    return [Agreement(*row) for row in warehouse.rows(_AGREEMENT)]


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
