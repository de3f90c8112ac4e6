"""What a customer's message means: a tap, a number of the last list, or words of a route. Pure; no learning."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from hub_api.ai.rules import Rules
from hub_api.chat.consent import Said, Scope, detect, normalise, preference_of

# What lies beyond does not change what a message is about, and a message may be a megabyte.
MAX_TEXT, MAX_WORDS = 2000, 120
_REPEATED = re.compile(r"([^\W\d])\1{2,}")  # "boletinhoooo" is "boletinho"
_ONLY_WHEN_ASKED = frozenset({"yes", "no"})


@dataclass(frozen=True, slots=True)
class Inbound:
    """A customer's message as the bot sees it.

    `text` is the person's own words (a caption too), `choice` the id of what was tapped, `carries` what the message
    holds (text, media, choice, ...), `form` the fields of a filled form. `consent` is what the ledger recorded for it: scope and whether it was granted.
    """

    carries: str
    text: str | None = None
    choice: str | None = None
    form: Mapping[str, object] | None = None
    voice: bool = False
    wamid: str | None = None
    consent: tuple[Scope, bool] | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """The route a message leads to, with what was chosen there (a contract's id)."""

    route: str
    chosen: str | None = None


def hear(rules: Rules, inbound: Inbound, *, offered: Sequence[str] = (), asked: bool = False) -> Heard | None:
    """What `inbound` asks for; None when nothing is understood.

    `offered` are the ids of the list the customer sees, picked by number; with `asked` a yes or no is understood too.
    """
    if inbound.choice is not None:
        return _tapped(rules, inbound.choice)
    text = (inbound.text or "")[:MAX_TEXT]
    if (number := number_in(rules, text)) is not None:
        return _tapped(rules, offered[number - 1]) if 1 <= number <= len(offered) else None
    if (route := route_of(rules, text, asked=asked)) is not None:
        return Heard(route)
    return None


def consent_word(inbound: Inbound) -> Said | None:
    """What the message says about our messages, asked of its tap first, then of its whole text."""
    if (tapped := preference_of(inbound.choice)) is not None:
        return "opt_in" if tapped.granted else "opt_out"
    return detect(inbound.text) if inbound.choice in (None, inbound.text) else None


def _tapped(rules: Rules, choice: str) -> Heard | None:
    route, _, chosen = choice.partition(":")
    return Heard(route, chosen or None) if route in rules.routes else None


def number_in(rules: Rules, text: str) -> int | None:
    """The number that the message is, and nothing else ("opção 2, por favor", "2️⃣", "dois"); None for other messages."""
    words = [word for word in normalise(text).split() if word not in rules.numbers.fillers]
    if len(set(words)) != 1:
        return None
    if words[0].isascii() and words[0].isdigit() and len(words[0]) <= 2:
        return int(words[0])
    return rules.numbers.words.get(words[0])


def route_of(rules: Rules, text: str, *, asked: bool = False) -> str | None:
    """The route whose words the text has most of; None when it has no whole phrase of any."""
    phrases = rules.phrases
    signs = {char for char in text if not char.isspace() and unicodedata.category(char) not in ("Mn", "Sk")}
    if len(signs) == 1 and (route := phrases.emojis.get(min(signs))) is not None:
        return route
    tokens = [_REPEATED.sub(r"\1", word) for word in normalise(text).split()[:MAX_WORDS]]
    present = found_in(phrases.forms, tokens)
    best, most = None, 0
    for each in phrases.routes:
        if len(tokens) > each.max_words or (each.route in _ONLY_WHEN_ASKED and not asked):
            continue
        words = max((len(phrase.words) for phrase in each.phrases if phrase.occurs(present)), default=0)
        if words > most and not any(veto.occurs(present) for veto in each.vetoes):
            best, most = each.route, words
    return best


def found_in(forms: Mapping[str, Iterable[str]], tokens: Iterable[str]) -> set[str]:
    """The forms (by first letter) that occur among `tokens`: whole, as a beginning ("pref*"), or mistyped."""
    found = set()
    for token in set(tokens):
        for form in forms.get(token[0], ()):
            if form[-1] == "*":
                if token.startswith(form[:-1]):
                    found.add(form)
            elif form == token or (len(form) >= 5 and mistyped(form, token)):
                found.add(form)
    return found


def mistyped(word: str, token: str) -> bool:
    """Whether `token` is `word` with at most one letter wrong, missing or added, or two neighbours swapped."""
    if abs(len(word) - len(token)) > 1:
        return False
    start = next((i for i, (a, b) in enumerate(zip(word, token, strict=False)) if a != b), min(len(word), len(token)))
    rest, typed = word[start:], token[start:]
    return rest[1:] == typed[1:] or rest[1:] == typed or rest == typed[1:] or rest[1::-1] + rest[2:] == typed
