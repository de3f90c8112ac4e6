"""Our own labelled texts, and which of them are held out. Nothing else trains what ships.

The simulator's corpus (hub_api/simulator/corpus/*.tsv, read as files) gives text, intent, sentiment and aspect of each line;
corpus/messages.tsv adds what it has little of, corpus/clauses.tsv is what compose.py joins, corpus/heldout.tsv only judges.
"""

import csv
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from models_ml.text.normalise import read

CLASSES = ("negative", "neutral", "positive", "mixed")
ASPECTS = ("signal", "billing", "price", "service", "installation", "cancellation")
OWN = Path(__file__).parent / "corpus"
SIMULATOR = Path(__file__).parents[2] / "hub_api" / "simulator" / "corpus"
HELD_OUT = 15  # of a hundred lines of the simulator's corpus


@dataclass(frozen=True, slots=True)
class Line:
    """A labelled text. `aspects` maps an aspect to its polarity; `shows` says what the line is an example of."""

    text: str
    sentiment: str
    aspects: dict[str, str] = field(default_factory=dict)
    intent: str = ""
    reason: str = ""
    shows: str = ""
    region: str = "none"


@dataclass(frozen=True, slots=True)
class Label:
    """What a teacher (a language model, or a person) says of a text; an empty field says nothing.

    `weight` is how much it counts beside a line of the corpus, 0 to 1.
    """

    text: str
    sentiment: str = ""
    intent: str = ""
    weight: float = 0.5
    source: str = ""

    def __post_init__(self) -> None:
        if self.sentiment and self.sentiment not in CLASSES:
            raise ValueError(f"{self.sentiment!r} is no sentiment; they are {', '.join(CLASSES)}")
        if not 0 < self.weight <= 1:
            raise ValueError(f"a label's weight is above 0 and at most 1, not {self.weight}")


@dataclass(frozen=True)
class Corpus:
    """Lines to learn from and lines to be judged by; no text is on both sides."""

    learned: tuple[Line, ...]
    held_out: tuple[Line, ...]  # of the simulator's corpus: what ordinary messages are like
    challenge: tuple[Line, ...]  # written to be hard: negation, slang, emoji, irony, mixed, typing errors
    judged: frozenset[str] = frozenset()  # both of them as the models read them: what must not be learned

    def may_learn(self, text: str) -> bool:
        """Whether a text reads otherwise than everything that judges."""
        return read(text).plain not in self.judged


def load_corpus(folder: Path = SIMULATOR) -> Corpus:
    """The corpus, split by a hash of each text as the models read it: a line stays on its side for ever, and lines that
    read alike are on one side. Raises FileNotFoundError when the folder has no `.tsv`."""
    files = sorted(folder.glob("*.tsv"))
    if not files:
        raise FileNotFoundError(f"no corpus in {folder}: it is part of the package hub_api")
    lines = [line for file in files for line in _simulator_lines(file)]
    challenge = tuple(_own_lines(OWN / "heldout.tsv"))
    held = tuple(line for line in lines if _is_held_out(read(line.text).plain))
    judged = frozenset(read(line.text).plain for line in (*held, *challenge))
    corpus = Corpus((), held, challenge, judged)
    learned = tuple(line for line in (*lines, *_own_lines(OWN / "messages.tsv")) if corpus.may_learn(line.text))
    return replace(corpus, learned=learned)


def corpus_files(folder: Path = SIMULATOR) -> list[Path]:
    """Every file that the corpus is read from: what its hash is taken of."""
    return [*sorted(folder.glob("*.tsv")), *sorted(OWN.glob("*.tsv"))]


def intents_of(folder: Path = SIMULATOR) -> frozenset[str]:
    """Every intent of the simulator's corpus. Raises FileNotFoundError when the folder has no `.tsv`."""
    if not (files := sorted(folder.glob("*.tsv"))):
        raise FileNotFoundError(f"no corpus in {folder}: it is part of the package hub_api")
    return frozenset(row["intent"] for file in files for row in _rows(file))


def clauses() -> list[tuple[str, str, str]]:
    """(aspect or none, polarity, text) of each clause."""
    return [(row["aspect"], row["polarity"], row["text"]) for row in _rows(OWN / "clauses.tsv")]


def hash_labels(labels: Sequence[Label]) -> str:
    """SHA-256 over the labels in any order; empty for none."""
    if not labels:
        return ""
    whole = hashlib.sha256()
    for label in sorted(labels, key=lambda one: (one.text, one.source, one.sentiment, one.intent)):
        whole.update(repr(label).encode())
    return whole.hexdigest()


def _simulator_lines(file: Path) -> Iterable[Line]:
    for row in _rows(file):
        aspects = {row["aspect"]: _polarity(row["sentiment"])} if row["aspect"] in ASPECTS else {}
        yield Line(row["text"], row["sentiment"], aspects, row["intent"], file.stem, row["tone"], row["region"])


def _own_lines(file: Path) -> list[Line]:
    return [
        Line(row["text"], row["sentiment"], dict(pair.split(":") for pair in row["aspects"].split(",") if pair), shows=row["shows"])
        for row in _rows(file)
    ]  # fmt: skip


def _polarity(sentiment: str) -> str:
    """An aspect of a mixed line may be meant either way: its polarity is not known."""
    return "" if sentiment == "mixed" else sentiment


def _is_held_out(plain: str) -> bool:
    return int.from_bytes(hashlib.sha256(plain.encode()).digest()[:4], "big") % 100 < HELD_OUT


def _rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
