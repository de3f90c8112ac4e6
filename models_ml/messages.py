"""The models of customers' messages: made from our corpus by one call, promoted by their figures, used by another.

    ensure(folder)                  trains what is missing and promotes what reaches its floors; quick when nothing changed
    reader = load_reader(folder)    the promoted models
    reader.read(["sem sinal de novo 😡"])   class, score, aspects, intent and reason of each text

For a labelled set of your own, of any classes: `models_ml.text.classifier.train(texts, labels)` gives a classifier with
`predict` and `probabilities`; `cross_validate(texts, labels)` judges it honestly.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models_ml.registry import Manifest, ModelError, Registry, describe, hash_files, version_of
from models_ml.sentiment.corpus import SIMULATOR, Label, corpus_files, hash_labels, load_corpus

SENTIMENT, INTENT = "sentiment", "intent"
NAMES = (SENTIMENT, INTENT)
BATCH = 512  # texts prepared at once
LIBRARIES = ("numpy", "scipy", "scikit-learn")
_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Read:
    """What the models say of one text."""

    label: str  # negative, neutral, positive or mixed
    probabilities: dict[str, float]
    score: float  # P(positive) - P(negative)
    aspects: dict[str, str]  # aspect -> polarity
    intent: str
    intent_probability: float
    reason: str


class MessageReader:
    """The promoted models, loaded. `version` names both."""

    def __init__(self, sentiment: Any, intent: Any, version: str) -> None:
        self._sentiment, self._intent, self.version = sentiment, intent, version

    def read(self, texts: Sequence[str]) -> list[Read]:
        """One answer per text, in order; equal texts are read once."""
        from models_ml.text.vectorise import Prepared

        different: list[str] = list(dict.fromkeys(texts))
        said: list[Any] = []
        for start in range(0, len(different), BATCH):
            batch = different[start : start + BATCH]
            prepared = Prepared.of(batch)
            said += zip(self._sentiment.answer(batch, prepared), self._intent.answer(prepared), strict=True)
        answers = {
            text: Read(
                one.label, one.probabilities, one.score, one.aspects, why.name, why.probability, why.reason
            )
            for text, (one, why) in zip(different, said, strict=True)
        }  # fmt: skip
        return [answers[text] for text in texts]


def load_reader(folder: Path) -> MessageReader:
    """The promoted models of a folder. Raises ModelError when one is missing or damaged."""
    from models_ml.intent.model import IntentModel
    from models_ml.sentiment.model import SentimentModel

    registry = Registry(folder)
    sentiment, intent = registry.manifest(SENTIMENT), registry.manifest(INTENT)
    return MessageReader(
        SentimentModel.from_files(registry.files(sentiment)),
        IntentModel.from_files(registry.files(intent)),
        "-".join(dict.fromkeys((sentiment.version, intent.version))),
    )


def ensure(
    folder: Path,
    corpus_folder: Path = SIMULATOR,
    labels: Sequence[Label] | None = None,
    *,
    again: bool = False,
    say: Callable[[str], None] = lambda line: None,
) -> dict[str, Manifest]:
    """The promoted manifest of each model after what is missing was trained; trainers of one folder wait for each other.

    A version is trained when the promoted one comes from another corpus, code or library, when `labels` (a teacher's;
    None keeps what the promoted version has learned) differ, or with `again`. It is promoted when it reaches its floors;
    else the one before stays in use, and where there is none ModelError says what was missed.
    """
    registry, found = Registry(folder), {}
    for name in NAMES:
        with registry.lock(name):
            found[name] = _ensure(registry, name, corpus_folder, labels, again, say)
    return found


def needed(folder: Path, corpus_folder: Path = SIMULATOR) -> list[str]:
    """Names of the models whose promoted version does not come from this corpus, code and libraries."""
    registry = Registry(folder)
    return [name for name in NAMES if not _is_current(registry, name, corpus_folder, None)]


def evaluate_promoted(folder: Path, corpus_folder: Path = SIMULATOR) -> dict[str, Manifest]:
    """Judge the promoted models anew, on the held-out lines of the corpus as it is now: manifests with these figures.
    Nothing is written. Raises ModelError when a model is missing or damaged."""
    from dataclasses import replace

    registry, corpus, found = Registry(folder), load_corpus(corpus_folder), {}
    for name in NAMES:
        manifest = registry.manifest(name)
        _, judge, restore, floors = _kind(name)
        figures = judge(restore(registry.files(manifest)), corpus)
        found[name] = replace(manifest, metrics=figures, floors=floors)
    return found


def _ensure(
    registry: Registry,
    name: str,
    corpus_folder: Path,
    labels: Sequence[Label] | None,
    again: bool,
    say: Callable[[str], None],
) -> Manifest:
    if not again and _is_current(registry, name, corpus_folder, labels):
        return registry.manifest(name)
    data_hash = _data_hash(corpus_folder, labels or ())
    version = version_of(data_hash, _code_hash(), _installed())
    known = {one.version: one for one in registry.versions(name)}.get(version)
    if known and not again and registry.promoted(name) and (known.missed or version in registry.refused(name)):
        return registry.manifest(name)  # it was judged before, by its figures or by somebody who went back from it
    make, judge, _, floors = _kind(name)
    began = time.monotonic()
    corpus = load_corpus(corpus_folder)
    model = make(corpus, labels or ())
    figures = judge(model, corpus)
    figures |= {
        "seconds_to_train": round(time.monotonic() - began, 1),
        "learned_texts": len(corpus.learned),
        "teacher_labels": len(labels or ()),
    }
    manifest = describe(
        name, data_hash=data_hash, code_hash=_code_hash(), metrics=figures, floors=floors, libraries=LIBRARIES
    )  # fmt: skip
    registry.save(manifest, model.files())
    say(f"{name} {manifest.version}: trained in {figures['seconds_to_train']:.0f} s")
    try:
        registry.promote(name, manifest.version)
    except ModelError as error:
        if registry.promoted(name) is None:
            raise
        say(f"{error}; {registry.promoted(name)} stays in use")
    return registry.manifest(name)


def _is_current(registry: Registry, name: str, corpus_folder: Path, labels: Sequence[Label] | None) -> bool:
    if registry.promoted(name) is None:
        return False
    try:
        promoted = registry.manifest(name)
        registry.files(promoted)
    except ModelError:
        return False
    corpus_hash, _, labels_hash = promoted.data_hash.partition("+")
    wanted = (
        _data_hash(corpus_folder, labels or ())
        if labels is not None
        else f"{hash_files(corpus_files(corpus_folder))}+{labels_hash}"
    )
    return version_of(wanted, _code_hash(), _installed()) == version_of(
        f"{corpus_hash}+{labels_hash}", promoted.code_hash, promoted.libraries
    )


def _installed() -> dict[str, str]:
    from importlib.metadata import version

    return {library: version(library) for library in LIBRARIES}


def _data_hash(corpus_folder: Path, labels: Sequence[Label]) -> str:
    return f"{hash_files(corpus_files(corpus_folder))}+{hash_labels(labels)}"


def _code_hash() -> str:
    """Of the code that training runs through."""
    return hash_files([path for part in ("text", "sentiment", "intent") for path in (_HERE / part).glob("*.py")])


def _kind(
    name: str,
) -> tuple[Callable[..., Any], Callable[..., dict[str, Any]], Callable[[dict[str, bytes]], Any], dict[str, float]]:
    if name == SENTIMENT:
        from models_ml.sentiment import evaluate
        from models_ml.sentiment.model import SentimentModel
        from models_ml.sentiment.train import train_sentiment

        return train_sentiment, evaluate.evaluate, SentimentModel.from_files, evaluate.FLOORS
    from models_ml.intent import evaluate as judging
    from models_ml.intent.model import IntentModel, train_intent

    return train_intent, judging.evaluate, IntentModel.from_files, judging.FLOORS
