"""Answers that are planted: of who gets a template, a known share reads it and writes back, so that an A/B test has a truth to find."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from hub_api.simulator.behaviour import Behaviour, Reaction, says, taps
from hub_api.simulator.model import Outbound, User
from hub_api.simulator.render import choices_of


@dataclass(frozen=True, slots=True)
class Planted:
    """What becomes of a template: shares (0 to 1) of those who get it, and how long they take (simulated seconds).

    Who answers taps the first button where there is one, else writes `text`. Raises ValueError for shares that cannot be.
    """

    template: str
    replies: float
    reads: float = 1.0
    after_s: float = 2.0
    text: str = "quero sim"

    def __post_init__(self) -> None:
        if not 0 <= self.replies <= self.reads <= 1 or self.after_s < 0:
            raise ValueError("0 <= replies <= reads <= 1, and after_s is not negative")


def reactions(
    planted: Mapping[str, Planted], usual: Behaviour, user: User, message: Outbound, rng: Random
) -> Sequence[Reaction]:
    """What `user` does about `message`: as planted for its template, else as usual."""
    rule = planted.get(message.template.name) if message.template is not None else None
    if rule is None:
        return usual.reactions(user, message, rng)
    found, draw = [Reaction(rule.after_s / 4, "delivered")], rng.random()
    if draw < rule.reads:
        found.append(Reaction(rule.after_s / 2, "read"))
    if draw < rule.replies:
        choices = choices_of(message)
        found.append(taps(rule.after_s, choices[0]) if choices else says(rule.after_s, rule.text))
    return found
