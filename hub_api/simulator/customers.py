"""Virtual customers: how they take what the hub sends them, in words of our corpus.

A customer's `traits` hold what they came for (`intent`) and how far the talk has gone (`turns`); traffic sets them
with the first message.
"""

import re
from collections.abc import Sequence
from random import Random

from hub_api.simulator.behaviour import (
    Behaviour,
    Choice,
    Reaction,
    choices_of,
    fills,
    says,
    shares_phone,
    taps,
    text_of,
)
from hub_api.simulator.corpus import Corpus, load_corpus
from hub_api.simulator.model import Outbound, User

# Which menu entry a customer looks for: words of its title, by what they came for.
LOOKS_FOR = {
    "invoice_copy": ("segunda via", "fatura", "boleto"), "bill_question": ("segunda via", "fatura"),
    "no_signal": ("sinal", "internet"), "slow_internet": ("sinal", "internet"), "outage_question": ("sinal", "internet"),
    "intermittent_connection": ("sinal", "internet"), "plan_info": ("plano",), "plan_purchase": ("plano",), "plan_change": ("plano",),
}  # fmt: skip
AGENT = ("atendente", "humano")
MOST_TURNS = 4

NEVER_DELIVERED, NEVER_READ = 0.01, 0.12
MARKETING_OPTS_OUT, MARKETING_BLOCKS, MARKETING_REPLIES = 0.012, 0.003, 0.07
RATES_SERVICE = 0.5
SETTLED_BY_INVOICE = 0.72  # as in history/script.py: the others tap on, to a person
SHARES_PHONE = 0.8
OPENS_LINK = 0.3
_LINK = re.compile(r"https?://[^\s/]+/l/[0-9A-Za-z]{16}\b")
SCORES, SCORE_WEIGHTS = (5, 4, 3, 2, 1), (46, 27, 13, 7, 7)
RECOMMENDS = 0.6
_ASKS_RECOMMENDATION = re.compile(r"\bde 0 a 10\b", re.IGNORECASE)
RECOMMENDATION_WEIGHTS = (3, 1, 1, 2, 2, 5, 6, 12, 18, 20, 30)  # of 0 to 10


class Customers(Behaviour):
    """Read after a while or never, tap what they look for, write what bothers them, rate, opt out, block."""

    def __init__(self, corpus: Corpus | None = None, pace: float = 1.0) -> None:
        self._corpus, self._pace = corpus or load_corpus(), pace

    def reactions(self, user: User, message: Outbound, rng: Random) -> Sequence[Reaction]:
        """Delivery, reading and at most one answer; times stretched by the pace (0.1: ten times as quick)."""
        if rng.random() < NEVER_DELIVERED:
            return ()
        delivered_s = rng.lognormvariate(-0.5, 0.8) * self._pace
        found = [Reaction(delivered_s, "delivered")]
        if rng.random() < NEVER_READ:
            return found
        read_s = delivered_s + rng.lognormvariate(1.0, 1.0) * self._pace
        found.append(Reaction(read_s, "read"))
        if message.type == "audio" and message.body.get("voice"):
            found.append(Reaction(read_s + rng.uniform(2, 30) * self._pace, "played"))
        if (link := _LINK.search(text_of(message))) and rng.random() < OPENS_LINK:
            opened_s = read_s + rng.uniform(2, 40) * self._pace
            visits = 1 if rng.random() < 0.8 else 2
            found += [
                Reaction(opened_s + 60 * n * self._pace, "opens", content={"url": link[0]}) for n in range(visits)
            ]
        answers_at = read_s + rng.uniform(3, 25) * self._pace
        answer = (
            self._marketing(rng, answers_at)
            if message.category == "marketing"
            else self._service(user, message, rng, answers_at)
        )
        return [*found, *answer]

    def _marketing(self, rng: Random, at: float) -> list[Reaction]:
        draw = rng.random()
        if draw < MARKETING_OPTS_OUT:  # in words or in WhatsApp's own menu
            return [says(at, self._corpus.say(rng, "opt_out").text) if rng.random() < 0.5 else Reaction(at, "opts_out")]
        if draw < MARKETING_OPTS_OUT + MARKETING_BLOCKS:
            return [Reaction(at, "blocks")]
        if draw < MARKETING_OPTS_OUT + MARKETING_BLOCKS + MARKETING_REPLIES:
            return [says(at, self._corpus.say(rng, rng.choice(("offer_reply_interested", "offer_reply_refused"))).text)]
        return []

    def _service(self, user: User, message: Outbound, rng: Random, at: float) -> list[Reaction]:
        choices = choices_of(message)
        if (surveyed := self._survey(message, choices, rng, at)) is not None:
            return surveyed
        if message.body.get("type") == "request_contact_info":
            return [shares_phone(at, user)] if rng.random() < SHARES_PHONE else []
        turns = int(user.traits.get("turns", 0))
        if turns >= MOST_TURNS:
            return []
        user.traits["turns"] = turns + 1
        text = text_of(message).lower()
        settled = "código de barras:" in text and rng.random() < SETTLED_BY_INVOICE
        if message.type == "template" and "fatura" in text:  # a reminder: what they answer is about it
            user.traits["intent"] = "invoice_copy"
        intent = str(user.traits.get("intent", "no_signal"))
        if choices and not settled:
            return (
                [taps(at, self._choice(intent, choices, rng))]
                if rng.random() < 0.8
                else [self._words(user, intent, rng, at)]
            )
        if "?" in text and not settled and rng.random() < 0.85:
            return [self._words(user, intent, rng, at)]
        return [says(at, self._corpus.say(rng, "thanks").text)] if rng.random() < 0.4 else []

    def _survey(self, message: Outbound, choices: Sequence[Choice], rng: Random, at: float) -> list[Reaction] | None:
        """What they say to a question of the survey, maybe nothing; None for any other message."""
        if scores := [choice for choice in choices if choice.id.startswith("csat_")]:
            return self._rating(rng, at, scores)
        if not _ASKS_RECOMMENDATION.search(text_of(message)):
            return None
        score = rng.choices(range(11), RECOMMENDATION_WEIGHTS)[0]
        if rng.random() >= RECOMMENDS:
            return []
        if message.body.get("type") == "flow":
            return [fills(at, message, {"score": str(score)})]
        return [says(at, str(score))]

    def _rating(self, rng: Random, at: float, scores: Sequence[Choice]) -> list[Reaction]:
        if rng.random() > RATES_SERVICE:
            return []
        wanted = f"csat_{rng.choices(SCORES, SCORE_WEIGHTS)[0]}"
        return [taps(at, next((choice for choice in scores if choice.id == wanted), scores[0]))]

    def _choice(self, intent: str, choices: Sequence[Choice], rng: Random) -> Choice:
        for words in (LOOKS_FOR.get(intent, ()), AGENT):
            for choice in choices:
                if any(word in choice.title.lower() for word in words):
                    return choice
        return rng.choice(choices)

    def _words(self, user: User, intent: str, rng: Random, at: float) -> Reaction:
        return says(at, self._corpus.say(rng, intent, None, user.traits.get("state_code")).text)
