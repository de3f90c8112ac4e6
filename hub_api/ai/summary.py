"""What a conversation was about, from its own sentences: no model, no network, the same words for the same talk. Pure.

The sentences of the customer are weighed by how often their words come back in the talk, as Luhn did it (The Automatic Creation
of Literature Abstracts, IBM Journal 2(2), 1958): the first demand always, then the two that say most, in their order; then
what we answered last. Numbers of people are masked, whoever reads it.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from hub_api.chat.consent import normalise
from hub_api.chat.masking import masked_text

LONGEST = 600
_SENTENCE = 160
_MOST = 3
_ENDS = re.compile(r"(?<=[.!?\n])\s+")
_COMMON = frozenset(
    normalise(
        "a ao aos as com como da das de do dos e ela ele em essa esse esta este eu foi já la lhe mais mas me meu minha muito "
        "na não nas no nos o os ou para pela pelo por pra que quem se sem ser seu sua só tem ter tá to um uma vc você oi olá "
        "bom boa dia tarde noite obrigado obrigada ok sim favor tudo bem gostaria queria quero preciso"
    ).split()
)


@dataclass(frozen=True, slots=True)
class Line:
    """A message with words: `author` as messages name it (customer, bot, agent, phone_app)."""

    author: str
    content: str


def extract(lines: Sequence[Line]) -> str | None:
    """A summary in Portuguese of lines in their order, at most `LONGEST` characters; None when the customer said nothing of weight."""
    said = [part for line in lines if line.author == "customer" for part in _sentences(line.content)]
    words = [_words(part) for part in said]
    places = [place for place, found in enumerate(words) if found]
    if not places:
        return None
    often = Counter(word for found in words for word in set(found))
    first = next((place for place in places if len(words[place]) > 1), places[0])
    weighed = sorted(
        (place for place in places if place != first and len(words[place]) > 1),
        key=lambda place: (-sum(often[word] for word in set(words[place])) / len(words[place]) ** 0.5, place),
    )
    chosen: list[str] = []
    for place in sorted([first, *weighed[: _MOST - 1]]):
        if (sentence := _cut(said[place])) not in chosen:
            chosen.append(sentence)
    summary = f"Cliente: {' · '.join(chosen)}"
    answers = [line.content for line in lines if line.author in ("agent", "phone_app") and line.content.strip()]
    if answers:
        summary += f"\nÚltima resposta: {_cut(' '.join(answers[-1].split()))}"
    return masked_text(summary)[:LONGEST]


def _sentences(text: str) -> list[str]:
    return [" ".join(part.split()) for part in _ENDS.split(text.strip()) if part.strip()]


def _words(sentence: str) -> list[str]:
    return [
        word for word in normalise(sentence).split() if word not in _COMMON and not word.isdigit() and len(word) > 1
    ]


def _cut(sentence: str) -> str:
    if len(sentence) <= _SENTENCE:
        return sentence
    return sentence[:_SENTENCE].rsplit(" ", 1)[0] + "…"
