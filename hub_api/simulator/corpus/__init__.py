"""Our own corpus of Brazilian telecom utterances: what virtual customers say, with labels.

Each line of the `.tsv` files is written for this project: text, intent, sentiment, aspect, region of the voice, tone.
"""

import csv
import gzip
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from random import Random

from hub_api.errors import Invalid


@dataclass(frozen=True, slots=True)
class Utterance:
    """One thing a customer says."""

    text: str
    intent: str
    sentiment: str
    aspect: str
    region: str = "none"
    tone: str = "casual"


# Which voice a state has; a customer speaks their own region's lines or unmarked ones.
REGION_OF_STATE = {
    **dict.fromkeys(("SP",), "sp"), **dict.fromkeys(("RJ", "ES"), "rj"), **dict.fromkeys(("MG",), "mg"),
    **dict.fromkeys(("PR", "SC", "RS"), "sul"), **dict.fromkeys(("GO", "MT", "MS", "DF"), "centro_oeste"),
    **dict.fromkeys(("BA", "SE", "AL", "PE", "PB", "RN", "CE", "PI", "MA"), "nordeste"),
    **dict.fromkeys(("AM", "PA", "AC", "RO", "RR", "AP", "TO"), "norte"),
}  # fmt: skip


class Corpus:
    """Utterances by intent, to be drawn from with the caller's random numbers."""

    def __init__(self, utterances: Sequence[Utterance]) -> None:
        self.utterances = tuple(utterances)
        self._by_key: dict[tuple[str, str | None], list[Utterance]] = defaultdict(list)
        for utterance in utterances:
            self._by_key[utterance.intent, None].append(utterance)
            self._by_key[utterance.intent, utterance.sentiment].append(utterance)

    def say(self, rng: Random, intent: str, sentiment: str | None = None, state_code: str | None = None) -> Utterance:
        """An utterance of the intent, in the sentiment where there is one, in the voice of the state or unmarked.

        Raises KeyError on an unknown intent.
        """
        lines = self._by_key.get((intent, sentiment)) or self._by_key.get((intent, None))
        if not lines:
            raise KeyError(f"the corpus has no utterance of intent {intent!r}")
        region = REGION_OF_STATE.get(state_code or "", "none")
        for _ in range(8):
            line = rng.choice(lines)
            if line.region in ("none", region):
                return line
        return line

    def with_texts(self, texts: Sequence[str], intent: str) -> "Corpus":
        """The same corpus with further texts under one intent (real ones given by the caller)."""
        return Corpus([*self.utterances, *(Utterance(text, intent, "unknown", "none") for text in texts)])


@cache
def load_corpus() -> Corpus:
    """Every `.tsv` of this package."""
    found: list[Utterance] = []
    for file in sorted(resources.files(__package__).iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".tsv"):
            lines = file.read_text(encoding="utf-8").splitlines()
            rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
            found += [Utterance(**{key: row[key] for key in Utterance.__slots__}) for row in rows]
    return Corpus(found)


# Real Brazilian customers' messages that a development machine may have beside the repository: they are read where they
# are and never shipped (their licences forbid it).
SHARED = Path(__file__).parents[3].parent / "shared" / "data"
REAL_TEXTS = ("olist_reviews/reviews.csv.gz", "olist_reasons/messages.csv.gz")


def real_texts(folder: Path = SHARED) -> list[str]:
    """Real texts of the files that are there; none elsewhere."""
    return [text for name in REAL_TEXTS if (folder / name).exists() for text in read_texts(folder / name)]


def read_texts(path: Path, column: str = "text", limit: int | None = None) -> list[str]:
    """Texts of a CSV file (`.csv` or `.csv.gz`), blank ones left out. Raises Invalid when it has no such column."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(lines)
        if column not in (rows.fieldnames or ()):
            raise Invalid(f"{path} has no column {column!r}; it has: {', '.join(rows.fieldnames or ())}")
        texts = [row[column].strip() for row in rows if row[column] and row[column].strip()]
    return texts[:limit]
