"""From a message as people type it to what the models read: accents, typing habits, repeated letters, slang, emoji and
the reach of a negation. Pure Python; the same code reads for training and for prediction."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from models_ml.text.emoji import EMOJI, PICTOGRAM
from models_ml.text.slang import LAUGHTER, SHORT

MAX_CHARS = 2000  # of a longer message the start and the end are read: a customer's point is in one of them

NEGATIONS = frozenset({"nao", "nunca", "nem", "jamais", "sem", "nenhum", "nenhuma", "tampouco"})
CONTRASTS = frozenset({"mas", "porem", "contudo", "entretanto", "todavia", "embora", "apesar"})
# A negation reaches this many words; punctuation and a contrast end it.
REACH = 3
_ENDS_REACH = frozenset({".", ",", ";", "!", "?", "…", ":", "\n"})

_TOKEN = re.compile(
    r"(?P<url>(?:https?://|www\.)\S+)|(?P<mask><[a-z]+>)|(?P<mail>\S+@\S+\.\w+)|(?P<face>(?<!\w)[:;=xX]['-]?[)(DdPp/|]+(?!\w))"
    r"|(?P<heart><3)|(?P<money>r\$\s?\d[\d.,]*)|(?P<number>\d[\d.,:/h]*\d|\d)|(?P<word>[a-z_]+(?:-[a-z]+)*)"
    rf"|(?P<emoji>{PICTOGRAM})|(?P<mark>[.,;:!?…\n]+)"
)
_REPEATED = re.compile(r"([a-z])\1{2,}")
_DOUBLED = re.compile(r"([abdefghijklmnpqtuvwxyz])\1+")  # Portuguese doubles r, s and, in coordination, o and c only
_GRADE = re.compile(r"\bnota\s+(10|[0-9])\b|\b(10|[0-9])\s*/\s*10\b")
_COMBINING = re.compile(r"[\u0300-\u036f]")


@dataclass(frozen=True, slots=True)
class Reading:
    """A message as the models read it."""

    tokens: tuple[str, ...]  # words without accents, marks and names of emoji, in order
    negated: tuple[bool, ...]  # per token: a negation reaches it
    plain: str  # the tokens as one line: what character n-grams are cut from
    shouting: float  # share of capitals among the letters, 0 to 1; 0 for fewer than 6 letters
    stretched: int  # words with letters repeated for emphasis, count


def strip_accents(text: str) -> str:
    """The text with base letters only: `instalação` -> `instalacao`."""
    return _COMBINING.sub("", unicodedata.normalize("NFD", text))


def read(text: str) -> Reading:
    """How the models read a message; an empty or unreadable one has no tokens. Never raises on a string."""
    if len(text) > MAX_CHARS:
        text = f"{text[: MAX_CHARS // 2]} {text[-MAX_CHARS // 2 :]}"
    text = unicodedata.normalize("NFC", text)
    letters = [char for char in text if char.isalpha()]
    shouting = sum(char.isupper() for char in letters) / len(letters) if len(letters) >= 6 else 0.0
    lowered = strip_accents(text.lower())
    stretched = len(_REPEATED.findall(lowered))
    tokens: list[str] = []
    for match in _TOKEN.finditer(lowered):
        tokens += _tokens_of(match.lastgroup or "", match.group())
    if grade := _GRADE.search(lowered):
        tokens.append(_grade(int(grade[1] or grade[2])))
    return Reading(tuple(tokens), _reach(tokens), " ".join(tokens), shouting, stretched)


def _grade(value: int) -> str:
    return "nota_alta" if value >= 8 else "nota_media" if value >= 6 else "nota_baixa"


def _tokens_of(kind: str, text: str) -> list[str]:
    if kind == "word":
        return list(_word(text))
    if kind == "mark":
        marks = {"!": "!", "?": "?"}
        kept = [marks[char] for char in dict.fromkeys(text) if char in marks]
        kept = kept or ["\n" if "\n" in text else text[0]]
        return [*kept, "!!"] if text.count("!") > 1 or text.count("?") > 1 else kept
    if kind == "emoji":
        name = EMOJI.get(text[0])
        return [f"emoji_{name}"] if name else ["emoji"]
    if kind == "face":
        return ["emoji_alegre" if text[-1] in ")dDpP" else "emoji_triste"]
    return [
        {"url": "endereco", "mail": "email", "heart": "emoji_amor", "money": "dinheiro", "mask": "numero"}.get(
            kind, "numero"
        )
    ]


@lru_cache(maxsize=100_000)
def _word(word: str) -> tuple[str, ...]:
    """A word with its typing habits undone: laughter, stretched letters, abbreviations."""
    if LAUGHTER.fullmatch(word):
        return ("risada",)
    if word in SHORT:
        return SHORT[word]
    squeezed = _REPEATED.sub(r"\1", word)
    if squeezed != word and squeezed in SHORT:
        return SHORT[squeezed]
    squeezed = _DOUBLED.sub(r"\1", squeezed)
    return SHORT.get(squeezed, (squeezed,))


def _reach(tokens: list[str]) -> tuple[bool, ...]:
    """Which tokens a negation before them reaches."""
    reached: list[bool] = []
    left = 0
    for token in tokens:
        if token in NEGATIONS:
            reached.append(False)
            left = REACH
        elif token in _ENDS_REACH or token in CONTRASTS:
            reached.append(False)
            left = 0
        else:
            reached.append(left > 0)
            left = max(0, left - 1)
    return tuple(reached)
