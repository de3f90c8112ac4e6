"""The steps in order, and one run through them: every step whose needs have passed is made and its outcome told."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from dataclasses import dataclass, field
from typing import Literal

from hub_api.whatsapp.connect import address_steps, message_step, meta_steps
from hub_api.whatsapp.connect.setup import Facts, Failed, Setup

State = Literal["passed", "failed", "waiting", "skipped"]


@dataclass(frozen=True, slots=True)
class Step:
    """One step; it is made when all of `needs` have passed."""

    name: str
    make: Callable[[Setup], Awaitable[Facts]]
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a step: `code` is `ok`, or why it failed; `waiting` steps say in `facts["for"]` what they wait for."""

    step: str
    state: State
    code: str = "ok"
    facts: Facts = field(default_factory=dict)


STEPS: tuple[Step, ...] = (
    Step("settings", meta_steps.settings),
    Step("token", meta_steps.token, ("settings",)),
    Step("app_secret", meta_steps.app_secret, ("token",)),
    Step("permissions", meta_steps.permissions, ("token",)),
    Step("waba", meta_steps.waba, ("permissions",)),
    Step("subscription", meta_steps.subscription, ("waba",)),
    Step("address", address_steps.address, ("settings",)),
    Step("handshake", address_steps.handshake, ("address",)),
    Step("signature", address_steps.signature, ("handshake",)),
    Step("number", meta_steps.number, ("waba",)),
    Step("callback", meta_steps.callback, ("number", "handshake")),
    Step("name", meta_steps.name, ("number",)),
    Step("quality", meta_steps.quality, ("number",)),
    Step("payment", meta_steps.payment, ("waba",)),
    Step("message", message_step.message,
         ("app_secret", "subscription", "signature", "callback", "name", "quality", "payment")),
)  # fmt: skip


async def run(setup: Setup, *, skip: Collection[str] = ()) -> AsyncIterator[Outcome]:
    """Make the steps and tell each outcome as it comes. A failed step stops those that need it, and no other."""
    passed: set[str] = set()
    for step in STEPS:
        missing = [name for name in step.needs if name not in passed]
        if step.name in skip:
            yield Outcome(step.name, "skipped", "skipped")
        elif missing:
            yield Outcome(step.name, "waiting", "waiting", {"for": missing[0]})
        else:
            outcome = await _made(setup, step)
            if outcome.state == "passed":
                passed.add(step.name)
            yield outcome


def without_settings(names: str) -> list[Outcome]:
    """The outcomes when the secrets `names` are not set at all: nothing else can be tried."""
    first = Outcome(STEPS[0].name, "failed", "secret_missing", {"name": names})
    return [first, *(Outcome(step.name, "waiting", "waiting", {"for": step.needs[0]}) for step in STEPS[1:])]


async def _made(setup: Setup, step: Step) -> Outcome:
    try:
        return Outcome(step.name, "passed", "ok", await step.make(setup))
    except Failed as failure:
        return Outcome(step.name, "failed", failure.code, failure.facts)
