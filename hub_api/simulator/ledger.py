"""What was asked of the API and what it accepted: the account on which "sent twice" is decided."""

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class Call:
    """One send call: what the caller asked, the error code it was told, if any, and when (Unix seconds)."""

    at: float
    number_id: str
    address: str
    type: str
    opaque: str
    code: int
    wamid: str
    outcome: str  # accepted, refused, or the fault that hid the answer
    body: dict[str, Any]


class Ledger:
    """The last calls in full, and for each message id how often a call for it was accepted.

    The message id is `biz_opaque_callback_data` up to its last dot (`message_id.attempt`), so that a message sent
    again under another attempt is still seen as the same message. Old ids leave when `keep_accepted` is reached.
    """

    def __init__(self, keep_calls: int, keep_accepted: int) -> None:
        self.calls: deque[Call] = deque(maxlen=keep_calls)
        self._keep_accepted = keep_accepted
        self.clear()

    def clear(self) -> None:
        """Start counting from nothing."""
        self.calls.clear()
        self.outcomes: Counter[str] = Counter()
        self.refusals: Counter[int] = Counter()
        self._accepted: dict[str, int] = {}
        self._repeated: set[str] = set()
        self.accepted_calls = 0
        self.without_id = 0

    def record(self, call: Call, *, accepted: bool) -> None:
        """Enter one call."""
        self.calls.append(call)
        self.outcomes[call.outcome] += 1
        if not accepted:
            if call.code:
                self.refusals[call.code] += 1
            return
        self.accepted_calls += 1
        message_id = call.opaque.rpartition(".")[0] or call.opaque
        if not message_id:
            self.without_id += 1
            return
        count = self._accepted.get(message_id, 0) + 1
        self._accepted[message_id] = count
        if count > 1:
            self._repeated.add(message_id)
        elif len(self._accepted) > self._keep_accepted:
            oldest = next(iter(self._accepted))
            del self._accepted[oldest]
            self._repeated.discard(oldest)

    @property
    def messages(self) -> int:
        """Distinct message ids accepted."""
        return len(self._accepted)

    def repeated(self) -> dict[str, int]:
        """Message ids accepted more than once, with the count of calls; costs nothing when there are none."""
        return {message_id: self._accepted[message_id] for message_id in sorted(self._repeated)}

    def counts(self, message_ids: Iterable[str] | None = None) -> dict[str, int]:
        """Accepted calls per message id: of those asked for (0 when never accepted), or of all."""
        if message_ids is None:
            return dict(self._accepted)
        return {message_id: self._accepted.get(message_id, 0) for message_id in message_ids}
