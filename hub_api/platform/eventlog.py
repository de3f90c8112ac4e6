"""The event outbox: what an event is, and how a transaction's events are written with it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

import msgspec

from hub_api.platform.ids import uuid7
from hub_api.platform.pgtypes import Connection

ENVELOPE = frozenset({"aggregate_id", "aggregate_version", "occurred_at"})

_INSERT = """
INSERT INTO events (id, type, aggregate_type, aggregate_id, aggregate_version, occurred_at, payload, trace_id)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::bigint[], $6::timestamptz[], $7::jsonb[], $8::text[])
"""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened to one aggregate. Subclasses are the catalogue in `hub_api/events.py`.

    `aggregate_version` is the row's version after the change: readers fold state by it, whatever order events arrive in.
    """

    type: ClassVar[str]
    aggregate_type: ClassVar[str]

    aggregate_id: UUID
    aggregate_version: int
    occurred_at: datetime

    def payload(self) -> dict[str, Any]:
        """The fields beyond the envelope as JSON values."""
        fields = {name: getattr(self, name) for name in self.__struct_fields__ if name not in ENVELOPE}
        return msgspec.to_builtins(fields, str_keys=True)  # type: ignore[no-any-return]


async def insert_events(
    db: Connection,
    events: Sequence[Event],
    traces: Sequence[str | None] | None = None,
) -> None:
    """Write `events` in their order in one statement, in the caller's transaction; `traces` are the traces they belong to,
    one each."""
    if not events:
        return
    await db.execute(
        _INSERT,
        [uuid7() for _ in events],
        [event.type for event in events],
        [event.aggregate_type for event in events],
        [event.aggregate_id for event in events],
        [event.aggregate_version for event in events],
        [event.occurred_at for event in events],
        [event.payload() for event in events],
        traces or [None] * len(events),
    )
