"""How virtual customers react: the interface between the platform and whoever plays the people on it.

The platform calls `Behaviour.reactions` once for each accepted message that will reach its user, at the moment it is
accepted, and plays the returned reactions at their times. It keeps them possible: a user who has blocked the business
receives nothing, `read` comes no earlier than `delivered`, a paused template's held messages wait.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Literal, Protocol

from hub_api.simulator.model import Outbound, User
from hub_api.simulator.payload import answer_flow
from hub_api.simulator.render import Choice, choices_of, text_of

Act = Literal["delivered", "read", "played", "failed", "writes", "blocks", "unblocks", "opts_out", "opts_in", "opens"]


@dataclass(frozen=True, slots=True)
class Reaction:
    """One thing a user does `after_s` simulated seconds after the message was accepted.

    `writes` needs `type` (a webhook message type) and `content` (the object of that type); with `quotes` it carries
    the message it answers as context. `failed` needs `code`, `opens` the `content` {"url"}: a short link of the business itself.
    """

    after_s: float
    act: Act
    type: str = "text"
    content: Mapping[str, Any] | Sequence[Any] = field(default_factory=dict)
    quotes: bool = False
    code: int = 0


class Behaviour(Protocol):
    """Plays every user; must be quick (it runs inside the send call) and take its chances from `rng` only."""

    def reactions(self, user: User, message: Outbound, rng: Random) -> Sequence[Reaction]:
        """What `user` will do about `message`, in any order; empty when the message is never delivered."""


class Prompt(Behaviour):
    """Delivers after 0.2 s and reads after 1 s, give or take, and never answers. The default."""

    def __init__(self, delivered_s: float = 0.2, read_s: float | None = 1.0) -> None:
        self._delivered_s, self._read_s = delivered_s, read_s

    def reactions(self, user: User, message: Outbound, rng: Random) -> Sequence[Reaction]:
        """Delivered and read (and played, if it is a voice message), each within 20 % of its usual time."""
        found = [Reaction(self._delivered_s * rng.uniform(0.8, 1.2), "delivered")]
        if self._read_s is not None:
            read_after = self._read_s * rng.uniform(0.8, 1.2)
            found.append(Reaction(read_after, "read"))
            if message.type == "audio" and message.body.get("voice"):
                found.append(Reaction(read_after + 2.0, "played"))
        return found


class Silent(Behaviour):
    """Phones that are off: messages are sent and nothing more is heard of them."""

    def reactions(self, user: User, message: Outbound, rng: Random) -> Sequence[Reaction]:
        """None."""
        return ()


def says(after_s: float, text: str, *, quotes: bool = False) -> Reaction:
    """The user writes `text`."""
    return Reaction(after_s, "writes", "text", {"body": text}, quotes)


def taps(after_s: float, choice: Choice) -> Reaction:
    """The user taps a button or picks a row of the message; choices come from `choices_of(message)`."""
    if choice.kind == "quick_reply":
        return Reaction(after_s, "writes", "button", {"payload": choice.id, "text": choice.title}, quotes=True)
    reply = {"id": choice.id, "title": choice.title}
    if choice.kind == "list_reply" and choice.description:
        reply["description"] = choice.description
    return Reaction(after_s, "writes", "interactive", {"type": choice.kind, choice.kind: reply}, quotes=True)


def fills(after_s: float, message: Outbound, answers: Mapping[str, Any]) -> Reaction:
    """The user fills in the form (flow) that the message's button opens; it comes back under the token of the message."""
    token = message.body.get("action", {}).get("parameters", {}).get("flow_token", "unused")
    return Reaction(after_s, "writes", "interactive", answer_flow(answers, token), quotes=True)


def shares_phone(after_s: float, user: User) -> Reaction:
    """The user answers a request for contact information with their own phone (`origin` contact_request)."""
    contact = {
        "phones": [{"phone": f"+{user.phone}", "wa_id": user.wa_id, "type": "CELL"}],
        "origin": "contact_request",
    }
    return Reaction(after_s, "writes", "contacts", [contact], quotes=True)


__all__ = [
    "Act",
    "Behaviour",
    "Choice",
    "Prompt",
    "Reaction",
    "Silent",
    "choices_of",
    "fills",
    "says",
    "shares_phone",
    "taps",
    "text_of",
]
