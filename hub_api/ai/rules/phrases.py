"""The words of the routes, compiled: which forms to look for in a message and which routes they make."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from hub_api.chat.consent import normalise


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that must all occur in a message, each in one of its forms ("pref*" is any word that begins so)."""

    words: tuple[frozenset[str], ...]

    def occurs(self, present: Collection[str]) -> bool:
        """Whether a message in which the forms `present` were found has the whole phrase."""
        return all(not forms.isdisjoint(present) for forms in self.words)


@dataclass(frozen=True, slots=True)
class RouteWords:
    """What leads to a route, what vetoes it, and its rank among routes whose phrases are as long."""

    route: str
    phrases: tuple[Phrase, ...]
    vetoes: tuple[Phrase, ...]
    max_words: int


@dataclass(frozen=True, slots=True)
class Phrases:
    """All routes in their order, all forms that occur anywhere in them by first letter, emojis that stand for a route."""

    routes: tuple[RouteWords, ...]
    forms: Mapping[str, tuple[str, ...]]
    emojis: Mapping[str, str]


def compile_phrases(
    written: Iterable[tuple[str, Iterable[str], Iterable[str], Iterable[str], int]],
) -> Phrases:
    """From (route, words, unless, emojis, max_words) of each route. Raises ValueError on a phrase without a word."""
    routes, emojis = [], dict[str, str]()
    for route, words, unless, signs, max_words in written:
        routes.append(RouteWords(route, tuple(map(_phrase, words)), tuple(map(_phrase, unless)), max_words))
        for sign in signs:
            emojis.setdefault(sign[0], route)
    forms: dict[str, dict[str, None]] = {}
    for one in routes:
        for phrase in (*one.phrases, *one.vetoes):
            for form in (form for word in phrase.words for form in word):
                forms.setdefault(form[0], {})[form] = None
    return Phrases(tuple(routes), {letter: tuple(found) for letter, found in forms.items()}, emojis)


def _phrase(written: str) -> Phrase:
    words = tuple(frozenset(_forms(word)) for word in written.split())
    if not words or any(form in ("", "*") for word in words for form in word):
        raise ValueError(f"the phrase {written!r} has a place without a word")
    return Phrase(words)


def _forms(word: str) -> Iterable[str]:
    for form in word.split("/"):
        yield normalise(form.removesuffix("*")) + ("*" if form.endswith("*") else "")
