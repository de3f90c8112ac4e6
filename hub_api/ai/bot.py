"""What the bot does about a customer's messages: a pure decision from rules, state and facts.

Messages cost, so a turn has one answer: greeting, confirmations and the answer itself are merged into one message,
and thanks are a reaction. A person can be reached from every message, and no personal data is asked for first
(Decreto 11.034/2022); a protocol number is told at the opening (art. 12); nothing is advertised while somebody waits.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from hub_api.ai import replies, say
from hub_api.ai.hear import Heard, Inbound, consent_word, hear, number_in
from hub_api.ai.replies import Answer
from hub_api.ai.rules import Rules
from hub_api.chat import survey
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

    `asks_nps`: the survey goes on from the grade to a recommendation, by the form `nps_form` where there is one. `window_open`: what is
    no template may be said; `has_template`: there is one for the survey; `surveyed`: an earlier end found the window closed.
    `resolved`: the messages found the conversation ended; `for_people`: a person had it, or they are too old for a bot.
    """

    protocol: str
    now: datetime
    zone: ZoneInfo
    name: str | None = None
    contracts: tuple[Contract, ...] = ()
    plans: tuple[Plan, ...] = ()
    conversation_id: UUID | None = None
    asks_nps: bool = False
    nps_form: str | None = None
    window_open: bool = True
    has_template: bool = False
    surveyed: bool = False
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
    """The customer's satisfaction, 1 to 5, with the conversation `about`, else with this one."""

    grade: int
    about: UUID | None = None


@dataclass(frozen=True, slots=True)
class Recommend:
    """How much the customer would recommend us, 0 to 10, after the conversation `about`, else after this one."""

    score: int
    about: UUID | None = None


@dataclass(frozen=True, slots=True)
class Survey:
    """How the survey went; None: it was asked after all."""

    outcome: survey.Outcome | None


Action = Say | HandOver | Resolve | Reopen | Rate | Recommend | Survey


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
    late, rest = late_answers(inbound), [one for one in inbound if not _names_its_end(one)]
    if not rest:
        return Decision(late, state)
    answer = _answer(rules, state, rest, facts)
    return Decision((*late, *answer.actions), answer.state)


def late_answers(inbound: Sequence[Inbound], *, ended: bool = False) -> tuple[Action, ...]:
    """What forms and buttons say of an end that they name, whatever goes on now; when all `ended`, what names none is about the last."""
    told = [_answer_of(one) for one in inbound if ended or _names_its_end(one)]
    return _newest([one for one in told if one is not None])


def ask_satisfaction(rules: Rules, state: State, facts: Facts) -> Decision:
    """Ask how it was, once in a conversation's life: a template does when the window has closed, or nobody."""
    if state.rating_asked:
        return Decision((), state)
    awaiting = State(greeted=state.greeted, rating_asked=True, awaiting=RATING)
    if not facts.window_open:
        if facts.has_template:
            return Decision((Survey("due"),), awaiting)
        return Decision((Survey("no_template"),), state)
    grades = [say.Choice(f"csat_{grade}", title) for grade, title in enumerate(rules.satisfaction.rows, 1)]
    words = rules.texts["satisfaction"].format(protocol=facts.protocol)
    asked = Say(say.message(rules, words, grades[::-1], button=rules.satisfaction.button))
    return Decision((asked, Survey(None)) if facts.surveyed else (asked,), awaiting)


def grade_of(rules: Rules, inbound: Inbound) -> int | None:
    """The rating that a message is: a tapped grade, or its number typed; None for anything else."""
    if inbound.choice is not None:
        tapped = survey.read_choice(inbound.choice)
        return tapped.value if tapped else None
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
    told = [(one, _answer_of(one) or _typed(rules, one, scored=scored)) for one in inbound]
    answers = [answer for _, answer in told if answer is not None]
    rated = _newest(answers)
    rest = [one for one, answer in told if answer is None and not survey.is_form(one.form)]
    if all(_is_thanks(rules, one) for one in rest):
        graded = any(isinstance(one, Rate) and one.about in (None, facts.conversation_id) for one in answers)
        if graded and facts.asks_nps and not state.nps_asked:
            asked = Say(_recommendation(rules, facts))
            return Decision((*rated, asked), msgspec.structs.replace(closed, nps_asked=True, awaiting=RATING))
        is_over = any(isinstance(one, Recommend) for one in answers) if scored else bool(answers)
        return Decision((*rated, *_thanks(rules, inbound)), closed if is_over else state)
    reopened: tuple[Action, ...] = (*rated, Reopen(to_queue=facts.for_people))
    if facts.for_people:
        return Decision(reopened, closed)
    answer = _answer(rules, closed, rest, facts)
    return Decision((*reopened, *answer.actions), answer.state)


def _recommendation(rules: Rules, facts: Facts) -> Draft:
    """The question from 0 to 10: a form where one is made for it, which may be answered by a number all the same."""
    if facts.nps_form is None or facts.conversation_id is None:
        return say.message(rules, rules.texts["nps"])
    token = survey.form_token(facts.conversation_id)
    return say.form(rules, rules.texts["nps_form"], rules.texts["nps_form_button"], facts.nps_form, token)


def _answer_of(inbound: Inbound) -> Rate | Recommend | None:
    """What a filled form or a tap says to the survey; None for anything else."""
    if (scored := survey.read_form(inbound.form)) is not None:
        return Recommend(scored.value, scored.about)
    graded = survey.read_choice(inbound.choice)
    return Rate(graded.value, graded.about) if graded else None


def _typed(rules: Rules, inbound: Inbound, *, scored: bool) -> Rate | Recommend | None:
    number = (score_of if scored else grade_of)(rules, inbound)
    return None if number is None else Recommend(number) if scored else Rate(number)


def _names_its_end(inbound: Inbound) -> bool:
    tapped = survey.read_choice(inbound.choice)
    return survey.is_form(inbound.form) or (tapped is not None and tapped.about is not None)


def _newest(answers: Sequence[Rate | Recommend]) -> tuple[Action, ...]:
    """The last word of each kind about each conversation."""
    return tuple({(type(one), one.about): one for one in answers}.values())


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
