"""What a batch of inbox items says of our sends, counted by number: delivered, read, failed, and people who stopped."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from hub_api.platform.postgres import Transaction
from hub_api.whatsapp.handle_fold import Letter
from hub_api.whatsapp.inbound import Preference, Status
from hub_api.whatsapp.pool import tally
from hub_api.whatsapp.pool.tally import Tally
from hub_api.whatsapp.send.reactions import NEWS_FOR

_COUNTED = frozenset({"delivered", "read", "failed"})


async def count(tx: Transaction, letters: Sequence[Letter], stopped: Sequence[UUID]) -> None:
    """Count the batch; `stopped` are the numbers to which somebody wrote an opt-out, once each. Old news is left out."""
    since = datetime.now(UTC) - NEWS_FOR
    counts: Counter[tuple[UUID, str, int | None]] = Counter((number_id, "opt_out", None) for number_id in stopped)
    for letter in letters:
        if letter.number_id is None or letter.time.at < since:
            continue
        match letter.inbound:
            case Status(kind="message", status=status, faults=faults) if status in _COUNTED:
                counts[letter.number_id, status, faults[0].code if faults else None] += 1
            case Preference(value="stop"):
                counts[letter.number_id, "opt_out", None] += 1
            case _:
                pass
    await tally.count(
        tx, [Tally(number, outcome, code=code, count=times) for (number, outcome, code), times in counts.items()]
    )
