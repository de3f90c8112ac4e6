"""What follows a first message: wait, look whether it was read or answered, write again. An opt-out ends it, and so does a
conversation with a person: both are told by the exclusions every turn is judged by.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hub_api.campaigns.lists.freeze import when_of
from hub_api.campaigns.timing import turn_at
from hub_api.platform import sqlfile
from hub_api.platform.pgtypes import Row
from hub_api.platform.postgres import Transaction

queries = sqlfile.load(__package__)

UNMET = "condition"

Recipient = Row | Mapping[str, Any]


async def unmet(tx: Transaction, campaign: Row, run: Row, rows: Sequence[Row]) -> dict[tuple[UUID, int], str]:
    """Of recipients at a later step, those whose condition does not hold now."""
    later = [row for row in rows if row["step"] > 0]
    if not later:
        return {}
    found = await tx.db.fetch(queries.answers, campaign["id"], run["id"], [row["customer_id"] for row in later])
    answers = {row["customer_id"]: row for row in found}
    return {
        (row["customer_id"], row["step"]): UNMET
        for row in later
        if not holds(campaign["steps"][row["step"] - 1]["when"], answers.get(row["customer_id"]))
    }


def holds(condition: str, answer: Row | Mapping[str, bool] | None) -> bool:
    """Whether a step's condition holds for who read and replied as `answer` says (None: nothing was ever sent)."""
    if answer is None:
        return False
    return {
        "always": True,
        "read": answer["was_read"],
        "not_read": not answer["was_read"],
        "replied": answer["replied"],
        "not_replied": not answer["replied"],
    }[condition]


async def go_on(tx: Transaction, campaign: Row, run: Row, rows: Sequence[Recipient], zone: str) -> int:
    """Let recipients whose step is over wait for the next one, if there is one; how many wait."""
    steps, now = campaign["steps"], datetime.now(UTC)
    when = when_of(campaign, zone, now)
    following = []
    for row in rows:
        if row["step"] < len(steps):
            step = steps[row["step"]]
            at = turn_at(when, row["state_code"], None, now + timedelta(hours=step["after_hours"]))
            if at is not None:
                following.append((row["customer_id"], row["step"] + 1, step["variant"], at))
    if following:
        await tx.db.execute(queries.add_steps, campaign["id"], run["id"], *map(list, zip(*following, strict=True)))
    return len(following)
