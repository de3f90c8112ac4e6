"""Why a customer writes: one of the corpus' intents, and the contact reason it belongs to."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from models_ml.registry import pack_arrays, unpack_arrays
from models_ml.sentiment.corpus import Corpus, Label
from models_ml.text.classifier import Recipe, TextClassifier, train
from models_ml.text.vectorise import Prepared

RECIPE = Recipe(strength=6.0, max_terms=40_000, lexicon=0.3)
BATCH = 512


@dataclass(frozen=True, slots=True)
class Intent:
    """The likeliest intent with its probability, and the likeliest reason with the sum over its intents."""

    name: str
    probability: float
    reason: str
    reason_probability: float


@dataclass(frozen=True)
class IntentModel:
    """A classifier of intents, and which reason each belongs to."""

    classifier: TextClassifier
    reason_of: dict[str, str]

    def predict(self, texts: Sequence[str]) -> list[Intent]:
        """One answer per text, in order."""
        found: list[Intent] = []
        for start in range(0, len(texts), BATCH):
            found += self.answer(Prepared.of(texts[start : start + BATCH]))
        return found

    def answer(self, texts: Prepared) -> list[Intent]:
        """`predict` for texts that were prepared already."""
        reasons = sorted(set(self.reason_of.values()))
        groups = [reasons.index(self.reason_of[name]) for name in self.classifier.classes]
        found = []
        for shares in self.classifier.probabilities(texts):
            sums = [0.0] * len(reasons)
            for group, share in zip(groups, shares, strict=True):
                sums[group] += float(share)
            place, reason = int(shares.argmax()), max(range(len(reasons)), key=sums.__getitem__)
            name = self.classifier.classes[place]
            found.append(Intent(name, float(round(shares[place], 6)), reasons[reason], round(sums[reason], 6)))
        return found

    def files(self) -> dict[str, bytes]:
        """The model's files for the registry."""
        table, arrays = self.classifier.state()
        tables = {"intent": table, "reason_of": self.reason_of}
        return {"model.json": json.dumps(tables, ensure_ascii=False).encode(), "model.npz": pack_arrays(arrays)}

    @classmethod
    def from_files(cls, files: dict[str, bytes]) -> "IntentModel":
        """The model that `files` wrote."""
        tables = json.loads(files["model.json"])
        return cls(TextClassifier.from_state(tables["intent"], unpack_arrays(files["model.npz"])), tables["reason_of"])


def train_intent(corpus: Corpus, labels: Sequence[Label] = ()) -> IntentModel:
    """The model from the corpus' learned lines and a teacher's `labels` (intents that the corpus does not have are left
    out); deterministic. The vocabulary is that of our corpus."""
    lines = [line for line in corpus.learned if line.intent]
    reason_of = {line.intent: line.reason for line in lines}
    taught = [label for label in labels if label.intent in reason_of]
    classifier = train(
        [*(line.text for line in lines), *(label.text for label in taught)],
        [*(line.intent for line in lines), *(label.intent for label in taught)],
        [*([1.0] * len(lines)), *(label.weight for label in taught)],
        RECIPE,
        vocabulary_from=len(lines),
    )
    return IntentModel(classifier, reason_of)
