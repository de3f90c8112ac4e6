"""Tell a customer once that he waits: his place and about how long, or when we open. By the normal outbox, inside the window."""

from datetime import UTC, datetime

from hub_api.chat import conversations
from hub_api.chat.hours import hours_of
from hub_api.chat.outgoing import queue_message, text
from hub_api.chat.routing.claim import queries
from hub_api.platform.pgtypes import Row
from hub_api.platform.postgres import Transaction
from hub_api.platform.services import Services

BATCH = 100


async def tell_places(services: Services) -> int:
    """Tell those who wait and were not told since they took their place in line; how many were looked at, a batch at most.

    Who has no open window is marked as told: nothing but a template could reach him. The message is no answer: the
    clocks of the customer's wait run on.
    """
    found = await services.db.fetch(queries.untold, BATCH)
    for row in found:
        async with services.transaction() as tx:
            position = await tx.db.fetchval(queries.take_untold, row["id"])
            if position is not None:
                await _tell(services, tx, row, position)
    return len(found)


async def _tell(services: Services, tx: Transaction, row: Row, position: int) -> None:
    now = datetime.now(UTC)
    hours = hours_of(services.settings, row["business_hours"], holidays_closed=row["holidays_closed"])
    is_open = hours.is_open(now)
    words = row["waiting_text"] if is_open else row["closed_text"]
    if not words or not conversations.window_open(row, now):
        return
    opens = hours.next_opening(now)
    zone = services.settings.zone
    filled = fill(
        words,
        position=str(position),
        wait=wait_words(await expected_wait_s(tx, row, position)),
        protocol=row["protocol"],
        opens=opens.astimezone(zone).strftime("%d/%m às %H:%M") if opens else "em breve",
    )
    await queue_message(tx, row["id"], text(filled, author="system"))


async def expected_wait_s(tx: Transaction, row: Row, position: int) -> float | None:
    """Seconds until `position` of the queue's line is served at the pace of the last hour; None when nobody was served."""
    served = await tx.db.fetchval(queries.pace, row["queue_id"])
    return position * 3600 / served if served else None


def wait_words(seconds: float | None) -> str:
    """About how long, in words: rounded up, to five minutes from ten on; without an estimate it promises nothing."""
    if seconds is None:
        return "alguns minutos"
    minutes = -(-seconds // 60)
    if minutes <= 1:
        return "cerca de 1 minuto"
    if minutes > 120:
        return "mais de 2 horas"
    return f"cerca de {int(minutes if minutes < 10 else -(-minutes // 5) * 5)} minutos"


def fill(words: str, **values: str) -> str:
    """The text with its {placeholders} replaced; other braces stay as they are, so that no text can fail when it is sent."""
    for name, value in values.items():
        words = words.replace(f"{{{name}}}", value)
    return words
