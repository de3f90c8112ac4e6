"""What the bot does about a customer's messages: a pure decision from rules, state and facts.

Messages cost, so a turn has one answer: greeting, confirmations and the answer itself are merged into one message,
and thanks are a reaction. A person can be reached from every message, and no personal data is asked for first
(Decreto 11.034/2022); a protocol number is told at the opening (art. 12); nothing is advertised while somebody waits.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from hub_api.ai import replies, say
from hub_api.ai.hear import Heard, Inbound, consent_word, hear, number_in
from hub_api.ai.replies import Answer
from hub_api.ai.rules import Rules
from hub_api.chat.business.answers import Contract, Plan
from hub_api.chat.outgoing import Draft

RATING = "rating"  # what threads.py looks for, so that a rating does not reopen the conversation


class State(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the bot remembers of a conversation: `conversations.bot_state`."""

    greeted: bool = False
    misses: int = 0
    answered: bool = False  # something useful was told: a thank-you ends the demand
    offered: tuple[str, ...] = ()  # ids of the last list, which can be picked by number
    yes: str | None = None  # where a yes or no to the last question leads
    no: str | None = None
    rating_asked: bool = False
    nps_asked: bool = False  # the grade is known, and what is awaited now is a number from 0 to 10
    awaiting: str | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What the bot may say: the conversation's and what is known of the customer's contracts.

    `asks_nps`: the survey goes on from the grade to a recommendation. `resolved`: the messages found the conversation ended; `for_people`: a person had it, or they are too old for a bot.
    """

    protocol: str
    now: datetime
    zone: ZoneInfo
    name: str | None = None
    contracts: tuple[Contract, ...] = ()
    plans: tuple[Plan, ...] = ()
    asks_nps: bool = False
    resolved: bool = False
    for_people: bool = False


@dataclass(frozen=True, slots=True)
class Say:
    """Queue this message."""

    draft: Draft


@dataclass(frozen=True, slots=True)
class HandOver:
    """Put the conversation into the queue; the bot is silent from then on."""

    reason: str


@dataclass(frozen=True, slots=True)
class Resolve:
    """The customer says that it is done."""

    reason: str


@dataclass(frozen=True, slots=True)
class Reopen:
    """The customer came back to a resolved conversation: to the bot, or `to_queue` when it is a person's."""

    to_queue: bool


@dataclass(frozen=True, slots=True)
class Rate:
    """The customer's satisfaction, 1 to 5."""

    grade: int


@dataclass(frozen=True, slots=True)
class Recommend:
    """How much the customer would recommend us, 0 to 10."""

    score: int


Action = Say | HandOver | Resolve | Reopen | Rate | Recommend


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do, in order, and what to remember."""

    actions: tuple[Action, ...]
    state: State


def decide(rules: Rules, state: State, inbound: Sequence[Inbound], facts: Facts) -> Decision:
    """The one answer to all messages that came since the last one, oldest first."""
    if not inbound:
        return Decision((), state)
    if facts.resolved:
        return _after_the_end(rules, state, inbound, facts)
    return _answer(rules, state, inbound, facts)


def ask_satisfaction(rules: Rules, state: State, facts: Facts) -> Decision:
    """Ask how it was, once in a conversation's life."""
    if state.rating_asked:
        return Decision((), state)
    grades = [say.Choice(f"csat_{grade}", title) for grade, title in enumerate(rules.satisfaction.rows, 1)]
    words = rules.texts["satisfaction"].format(protocol=facts.protocol)
    asked = Say(say.message(rules, words, grades[::-1], button=rules.satisfaction.button))
    return Decision((asked,), State(greeted=state.greeted, rating_asked=True, awaiting=RATING))


def grade_of(rules: Rules, inbound: Inbound) -> int | None:
    """The rating that a message is: a tapped grade, or its number typed; None for anything else."""
    if inbound.choice is not None:
        kind, _, grade = inbound.choice.partition("csat_")
        return int(grade) if not kind and grade in {"1", "2", "3", "4", "5"} else None
    number = number_in(rules, inbound.text or "")
    return number if number is not None and 1 <= number <= 5 else None


def score_of(rules: Rules, inbound: Inbound) -> int | None:
    """The recommendation that a message is: a number from 0 to 10 and nothing else; None for anything else."""
    number = number_in(rules, inbound.text or "") if inbound.choice is None else None
    return number if number is not None and 0 <= number <= 10 else None


def _after_the_end(rules: Rules, state: State, inbound: Sequence[Inbound], facts: Facts) -> Decision:
    """A message that found the conversation resolved: a rating, a thank-you, or a demand that reopens it."""
    closed = msgspec.structs.replace(state, awaiting=None, misses=0, offered=())
    scored = state.nps_asked and state.awaiting == RATING
    read = score_of if scored else grade_of
    grades = [grade for one in inbound if (grade := read(rules, one)) is not None]
    rated: tuple[Action, ...] = (Recommend(grades[-1]) if scored else Rate(grades[-1]),) if grades else ()
    rest = [one for one in inbound if read(rules, one) is None]
    if all(_is_thanks(rules, one) for one in rest):
        if grades and facts.asks_nps and not state.nps_asked:
            asked = Say(say.message(rules, rules.texts["nps"]))
            return Decision((*rated, asked), msgspec.structs.replace(closed, nps_asked=True, awaiting=RATING))
        return Decision((*rated, *_thanks(rules, inbound)), closed if grades else state)
    reopened: tuple[Action, ...] = (*rated, Reopen(to_queue=facts.for_people))
    if facts.for_people:
        return Decision(reopened, closed)
    answer = _answer(rules, closed, rest, facts)
    return Decision((*reopened, *answer.actions), answer.state)


def _answer(rules: Rules, state: State, inbound: Sequence[Inbound], facts: Facts) -> Decision:
    consents = dict.fromkeys(one.consent for one in inbound if one.consent is not None)
    confirmed = [replies.consent_text(rules, scope, granted) for scope, granted in consents]
    heard = [_heard(rules, state, one) for one in inbound if one.consent is None]
    main = _most_wanted(rules, [one for one in heard if one is not None])
    if main is not None and rules.routes[main.route].do == "thanks" and not confirmed:
        if state.answered and not state.rating_asked:
            return Decision((Resolve("thanked"),), state)
        return Decision(_thanks(rules, inbound), state)
    if main is not None:
        answer = _DO[rules.routes[main.route].do](rules, main, facts)
        misses = 0
    elif heard or not confirmed:
        answer, misses = _missed(rules, state, inbound, facts), state.misses + 1
    else:
        answer, misses = Answer(), 0
    return _told(rules, state, facts, confirmed, answer, misses)


def _told(rules: Rules, state: State, facts: Facts, confirmed: Sequence[str], answer: Answer, misses: int) -> Decision:
    """One message of all that is to be said, then what follows from it."""
    words = [*confirmed, *answer.texts]
    if words and not state.greeted:
        name = say.first_name(facts.name)
        words.insert(0, rules.texts["greeting"].format(name=f", {name}" if name else "", protocol=facts.protocol))
    actions: list[Action] = []
    if words:
        actions.append(Say(say.message(rules, "\n\n".join(words), answer.choices, button=answer.button)))
    if answer.hand_over is not None:
        actions.append(HandOver(answer.hand_over))
    if answer.resolve is not None:
        actions.append(Resolve(answer.resolve))
    remembered = State(
        greeted=state.greeted or bool(words),
        misses=misses,
        answered=state.answered or answer.answered,
        offered=tuple(choice.id for choice in answer.choices) if answer.button else state.offered,
        yes=answer.yes,
        no=answer.no,
        rating_asked=state.rating_asked,
        nps_asked=state.nps_asked,
    )
    return Decision(tuple(actions), remembered)


def _heard(rules: Rules, state: State, inbound: Inbound) -> Heard | None:
    word = consent_word(inbound)
    if word == "ambiguous_cancel":
        return Heard("stop_promotions", "or_cancel")
    if word == "opt_out":  # said, but not recorded: never confirm what the ledger does not hold
        return Heard("stop_promotions")
    heard = hear(rules, inbound, offered=state.offered or rules.menu.options, asked=state.yes is not None)
    if heard is None or heard.route not in ("yes", "no"):
        return heard
    target = state.yes if heard.route == "yes" else state.no
    return Heard(target) if target else None


def _most_wanted(rules: Rules, heard: Sequence[Heard]) -> Heard | None:
    """A person if one was asked for, else the last demand, else the last greeting or thanks."""

    def rank(one: Heard) -> int:
        return {"hand_over": 2, "menu": 0, "thanks": 0}.get(rules.routes[one.route].do, 1)

    return max(reversed(heard), key=rank, default=None)


def _missed(rules: Rules, state: State, inbound: Sequence[Inbound], facts: Facts) -> Answer:
    """Nothing was understood: the menu, then the offer of a person, then a person."""
    if state.misses + 1 > rules.misses_before_offer:
        return replies.hand_over(rules, "not_understood", "handed_over", facts.protocol)
    if state.misses + 1 == rules.misses_before_offer:
        return replies.offer_agent(rules)
    last = inbound[-1]
    if last.carries == "text":
        return replies.menu(rules, *([rules.texts["not_understood"]] if state.greeted else []))
    kind = "voice" if last.voice else "media" if last.carries == "media" else "unsupported"
    return replies.menu(rules, rules.texts[kind])


def _is_thanks(rules: Rules, inbound: Inbound) -> bool:
    heard = hear(rules, inbound)
    return inbound.consent is not None or (heard is not None and rules.routes[heard.route].do == "thanks")


def _thanks(rules: Rules, inbound: Sequence[Inbound]) -> tuple[Action, ...]:
    wamid = inbound[-1].wamid if inbound else None
    return (Say(say.reaction(rules.thanks_emoji, wamid)),) if wamid else ()


def _zoned(rules: Rules, facts: Facts) -> Callable[[Contract], ZoneInfo]:
    def zone_of(contract: Contract) -> ZoneInfo:
        name = rules.zones.get(contract.state_code or "")
        return ZoneInfo(name) if name else facts.zone

    return zone_of


_DO: Mapping[str, Callable[[Rules, Heard, Facts], Answer]] = {
    "hand_over": lambda rules, heard, facts: replies.hand_over(
        rules, heard.route, rules.routes[heard.route].text or "handed_over", facts.protocol
    ),
    "invoice_copy": lambda rules, heard, facts: replies.invoice_copy(rules, facts.contracts, heard.chosen),
    "no_signal": lambda rules, heard, facts: replies.no_signal(rules, facts.contracts, facts.now, _zoned(rules, facts)),
    "plans": lambda rules, heard, facts: replies.plans(rules, facts.plans),
    "menu": lambda rules, heard, facts: replies.menu(rules),
    "thanks": lambda rules, heard, facts: Answer(),
    "consent": lambda rules, heard, facts: replies.stop_promotions(rules, or_cancel=False),
    "stop_promotions": lambda rules, heard, facts: replies.stop_promotions(
        rules, or_cancel=heard.chosen == "or_cancel"
    ),
    "solved": lambda rules, heard, facts: Answer(resolve="solved"),
}
