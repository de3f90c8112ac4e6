"""What was asked of the API and what it accepted: the account on which "sent twice" and "too fast" are decided."""

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
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


@dataclass(slots=True)
class Tally:
    """One number's traffic. `peak` is the most messages, in and out, that any second of it saw, wherever the second began."""

    accepted: int = 0
    replies: int = 0  # those of the accepted that are no templates
    inbound: int = 0
    refused: Counter[int] = field(default_factory=Counter)  # by error code
    peak: int = 0
    first_at: float | None = None  # of the accepted calls
    last_at: float | None = None
    _second: deque[float] = field(default_factory=deque)

    def accept(self, at: float, *, reply: bool) -> None:
        """A message went out."""
        self.accepted += 1
        self.replies += reply
        self.last_at = at
        if self.first_at is None:
            self.first_at = at
        self._pass(at)

    def receive(self, at: float) -> None:
        """A message came in: it uses the same throughput."""
        self.inbound += 1
        self._pass(at)

    def _pass(self, at: float) -> None:
        second = self._second
        second.append(at)
        while at - second[0] >= 1.0:
            second.popleft()
        self.peak = max(self.peak, len(second))


class Ledger:
    """The last calls in full, each number's tally, and for each message id how often a call for it was accepted.

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
        self.tallies: dict[str, Tally] = {}
        self._accepted: dict[str, float] = {}  # message id -> when its first call was accepted
        self._repeated: dict[str, int] = {}  # message id -> accepted calls, where there were several
        self.accepted_calls = 0
        self.without_id = 0

    def tally(self, number_id: str) -> Tally:
        """The account of a number."""
        found = self.tallies.get(number_id)
        if found is None:
            found = self.tallies[number_id] = Tally()
        return found

    def record(self, call: Call, *, accepted: bool) -> None:
        """Enter one call."""
        self.calls.append(call)
        self.outcomes[call.outcome] += 1
        if not accepted:
            if call.code:
                self.refusals[call.code] += 1
                self.tally(call.number_id).refused[call.code] += 1
            return
        self.accepted_calls += 1
        self.tally(call.number_id).accept(call.at, reply=call.type != "template")
        message_id = call.opaque.rpartition(".")[0] or call.opaque
        if not message_id:
            self.without_id += 1
        elif message_id in self._accepted:
            self._repeated[message_id] = self._repeated.get(message_id, 1) + 1
        else:
            self._accepted[message_id] = call.at
            if len(self._accepted) > self._keep_accepted:
                oldest = next(iter(self._accepted))
                del self._accepted[oldest]
                self._repeated.pop(oldest, None)

    @property
    def messages(self) -> int:
        """Distinct message ids accepted."""
        return len(self._accepted)

    def repeated(self) -> dict[str, int]:
        """Message ids accepted more than once, with the count of calls; costs nothing when there are none."""
        return dict(sorted(self._repeated.items()))

    def counts(self, message_ids: Iterable[str] | None = None) -> dict[str, int]:
        """Accepted calls per message id: of those asked for (0 when never accepted), or of all."""
        asked = self._accepted if message_ids is None else message_ids
        return {i: self._repeated.get(i, 1) if i in self._accepted else 0 for i in asked}

    def accepted_at(self, message_ids: Iterable[str]) -> dict[str, float]:
        """When the first call for each of these was accepted (Unix seconds); those never accepted are left out."""
        return {i: self._accepted[i] for i in message_ids if i in self._accepted}
