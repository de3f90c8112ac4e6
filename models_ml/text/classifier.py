"""A linear classifier of messages with calibrated probabilities: words, character n-grams and the lexicon's figures.

Prediction needs numpy and scipy only; scikit-learn is imported for training. The state is arrays and lists: no pickle.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from models_ml.text.lexicon import SIGNALS, signals
from models_ml.text.vectorise import KINDS, Floats, Prepared, Vocabulary


@dataclass(frozen=True)
class Recipe:
    """How a classifier is trained; found by cross-validation on training data, see models_ml/sentiment/README.md."""

    strength: float = 10.0  # inverse of the penalty on the weights (scikit-learn's C)
    # Half the decision from words scaled by their log-count ratio (Wang and Manning 2012, NB-SVM). It helps where a class
    # has many texts: None means for up to four classes.
    ratio: bool | None = None
    balanced: bool = True  # every class weighs the same, however rare
    min_texts: int = 2  # of a term
    max_terms: int = 60_000  # of each kind
    lexicon: float = 0.5  # weight of the lexicon's figures beside rows of length 1; 0 leaves them out
    calibrate: bool = True
    aside: int = 5  # one text in so many is held aside to find the temperature
    tolerance: float = 1e-2  # of the optimiser


@dataclass(frozen=True)
class TextClassifier:
    """A trained classifier. `predict` gives classes, `probabilities` the share of each, summing to 1."""

    classes: tuple[str, ...]
    vocabularies: tuple[Vocabulary, ...]
    weights: Floats  # classes x columns
    bias: Floats  # classes
    recipe: Recipe = field(default_factory=Recipe)
    temperature: float = 1.0

    def logits(self, texts: Prepared) -> npt.NDArray[np.float64]:
        """Texts by classes, before the temperature."""
        rows = features(texts, self.vocabularies, self.recipe)
        return np.asarray(rows @ self.weights.T, dtype=np.float64) + self.bias

    def probabilities(self, texts: Sequence[str] | Prepared) -> npt.NDArray[np.float64]:
        """Texts by classes (in the order of `classes`), calibrated; no text gives no rows."""
        return softmax(self.logits(_prepared(texts)) / self.temperature)

    def predict(self, texts: Sequence[str] | Prepared) -> list[str]:
        """The likeliest class of each text."""
        return [self.classes[place] for place in self.logits(_prepared(texts)).argmax(axis=1)]

    def state(self) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
        """Everything it is, as JSON and as arrays."""
        tables = {
            "classes": self.classes,
            "temperature": self.temperature,
            "recipe": {name: getattr(self.recipe, name) for name in Recipe.__dataclass_fields__},
            "terms": {one.kind: list(one.columns) for one in self.vocabularies},
        }
        arrays: dict[str, npt.NDArray[Any]] = {"weights": self.weights.astype(np.float16), "bias": self.bias}
        return tables, arrays | {f"idf_{one.kind}": one.idf for one in self.vocabularies}

    @classmethod
    def from_state(cls, tables: dict[str, Any], arrays: dict[str, npt.NDArray[Any]]) -> "TextClassifier":
        """The classifier that `state` described."""
        vocabularies = tuple(
            Vocabulary(kind, {term: column for column, term in enumerate(terms)}, arrays[f"idf_{kind}"])
            for kind, terms in tables["terms"].items()
        )
        return cls(
            tuple(tables["classes"]), vocabularies, arrays["weights"].astype(np.float32), arrays["bias"],
            Recipe(**tables["recipe"]), float(tables["temperature"]),
        )  # fmt: skip


def train(
    texts: Sequence[str] | Prepared,
    labels: Sequence[str],
    weights: Sequence[float] | None = None,
    recipe: Recipe | None = None,
    *,
    vocabulary_from: int | None = None,
) -> TextClassifier:
    """A classifier of any labels (two or more) from texts; the same input gives the same classifier.

    `weights` says how much each text counts (1 unless given). Of the texts only the first `vocabulary_from` may bring
    words into the vocabulary (all unless given). Probabilities are calibrated by one temperature, found on predictions
    for texts that the predicting model had not seen (Guo et al. 2017, "On calibration of modern neural networks").
    Raises ValueError on fewer than two classes or on lists of different lengths.
    """
    recipe = recipe or Recipe()
    if not len(texts) == len(labels) or (weights is not None and len(weights) != len(labels)):
        raise ValueError("texts, labels and weights must have one entry per text")
    if len(set(labels)) < 2:
        raise ValueError("at least two classes are needed")
    prepared, targets = _prepared(texts), np.array(labels)
    counts = np.ones(len(labels)) if weights is None else np.asarray(weights, dtype=np.float64)
    own = len(texts) if vocabulary_from is None else vocabulary_from
    temperature = 1.0
    if recipe.calibrate and min(np.unique(targets, return_counts=True)[1]) >= 2:
        temperature = _temperature(prepared, targets, counts, recipe, own)
    return replace(_fit(prepared, targets, counts, recipe, own), temperature=temperature)


def features(texts: Prepared, vocabularies: Sequence[Vocabulary], recipe: Recipe) -> Any:
    """Texts as a CSR matrix: the vocabularies' columns, then the lexicon's."""
    blocks = [vocabulary.rows(texts.terms[vocabulary.kind]) for vocabulary in vocabularies]
    if recipe.lexicon:
        figures = np.array([signals(reading) for reading in texts.readings], dtype=np.float32)
        blocks.append(sp.csr_matrix(figures.reshape(len(texts), len(SIGNALS)) * recipe.lexicon))
    return sp.hstack(blocks, format="csr")


def softmax(logits: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Rows to shares that sum to 1."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True)) if len(logits) else logits
    return np.asarray(powers / powers.sum(axis=1, keepdims=True)) if len(logits) else logits


def cross_validate(
    texts: Sequence[str] | Prepared,
    labels: Sequence[str],
    recipe: Recipe | None = None,
    *,
    folds: int = 5,
    seed: int = 1,
) -> tuple[list[str], npt.NDArray[np.float64], tuple[str, ...]]:
    """Each text's class and probabilities from a classifier that was trained without it: (predicted, probabilities by
    classes, classes). Vocabulary, weights and temperature are learned inside each fold."""
    prepared, targets = _prepared(texts), np.array(labels)
    classes = tuple(sorted(set(labels)))
    found = np.zeros((len(texts), len(classes)))
    for seen, unseen in folds_of(targets, folds, seed):
        model = train(prepared.take(seen), targets[seen].tolist(), recipe=recipe)
        columns = [classes.index(name) for name in model.classes]
        found[unseen[:, None], np.array(columns)] = model.probabilities(prepared.take(unseen))
    return [classes[place] for place in found.argmax(axis=1)], found, classes


def compare(
    texts: Sequence[str] | Prepared, labels: Sequence[str], recipes: Sequence[Recipe], *, folds: int = 3, seed: int = 2
) -> list[int]:
    """How many of these texts each recipe is right about, trained without them, of so many folds: what to choose a recipe by.
    The figure of the chosen one is flattered; judge it on other texts."""
    prepared, targets = _prepared(texts), np.array(labels)
    right = [0] * len(recipes)
    for seen, unseen in folds_of(targets, folds, seed):
        learned, unknown = prepared.take(seen), prepared.take(unseen)
        for place, recipe in enumerate(recipes):
            model = _fit(learned, targets[seen], np.ones(len(seen)), recipe, len(seen))
            right[place] += int((np.array(model.predict(unknown)) == targets[unseen]).sum())
    return right


def _prepared(texts: Sequence[str] | Prepared) -> Prepared:
    return texts if isinstance(texts, Prepared) else Prepared.of(texts)


def _fit(
    texts: Prepared, targets: npt.NDArray[Any], counts: npt.NDArray[np.float64], recipe: Recipe, own: int
) -> TextClassifier:
    from sklearn.linear_model import LogisticRegression

    vocabularies = tuple(
        Vocabulary.of(kind, texts.terms[kind][:own], min_texts=recipe.min_texts, max_terms=recipe.max_terms)
        for kind in KINDS
    )
    rows = features(texts, vocabularies, recipe).astype(np.float64)
    classes = np.unique(targets)
    # One class against the others each: with few texts a class as good as a common optimum, and ten times as quick.
    wanted = classes[1:] if len(classes) == 2 else classes
    weights, bias = np.empty((len(wanted), rows.shape[1])), np.empty(len(wanted))
    for place, name in enumerate(wanted):
        scales = [np.ones(rows.shape[1])]
        if recipe.ratio or (recipe.ratio is None and len(classes) <= 4):
            scales.append(_ratio(rows, targets == name, counts))
        parts = []
        for scale in scales:
            fitted = LogisticRegression(
                C=recipe.strength * (1.0 if scale is scales[0] else 0.2), solver="liblinear", dual=True,
                class_weight="balanced" if recipe.balanced else None, tol=recipe.tolerance, max_iter=300, random_state=0,
            ).fit(rows @ sp.diags(scale), targets == name, sample_weight=counts)  # fmt: skip
            parts.append((fitted.coef_[0] * scale, fitted.intercept_[0]))
        weights[place] = np.mean([part[0] for part in parts], axis=0)
        bias[place] = np.mean([part[1] for part in parts])
    if len(classes) == 2:  # the margin of the second over the first, shared between both
        weights, bias = np.vstack([-weights, weights]) / 2, np.concatenate([-bias, bias]) / 2
    return TextClassifier(
        tuple(str(name) for name in classes), vocabularies, weights.astype(np.float32), bias.astype(np.float32), recipe
    )  # fmt: skip


def _ratio(rows: Any, ours: npt.NDArray[np.bool_], counts: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Per column the logarithm of how much likelier it is in a text of the class than in another."""
    there = (rows != 0).astype(np.float64).T
    inside, outside = counts * ours, counts * ~ours
    with_class, without = (1 + there @ inside) / (1 + inside.sum()), (1 + there @ outside) / (1 + outside.sum())
    return np.asarray(np.log(with_class / without))


def _temperature(
    texts: Prepared, targets: npt.NDArray[Any], counts: npt.NDArray[np.float64], recipe: Recipe, own: int
) -> float:
    from scipy.optimize import minimize_scalar

    seen, unseen = folds_of(targets, recipe.aside, 0)[0]
    model = _fit(texts.take(seen), targets[seen], counts[seen], recipe, int((seen < own).sum()))
    place_of = {name: place for place, name in enumerate(model.classes)}
    known = [n for n in unseen if targets[n] in place_of]
    logits = model.logits(texts.take(known))
    rows, truth, weight = np.arange(len(known)), np.array([place_of[targets[n]] for n in known]), counts[known]

    def loss(logarithm: float) -> float:
        shares = softmax(logits / np.exp(logarithm))[rows, truth]
        return float(-(weight * np.log(np.maximum(shares, 1e-12))).sum())

    return float(np.exp(minimize_scalar(loss, bounds=(-3, 3), method="bounded").x))


def folds_of(targets: npt.NDArray[Any], folds: int, seed: int) -> list[tuple[npt.NDArray[Any], npt.NDArray[Any]]]:
    """Stratified folds as (learned from, judged by); a class with fewer texts than folds is spread as far as it goes."""
    chance = np.random.default_rng(seed)
    fold_of = np.empty(len(targets), dtype=int)
    offset = 0
    for name in np.unique(targets):
        places = chance.permutation(np.flatnonzero(targets == name))
        fold_of[places] = (offset + np.arange(len(places))) % folds
        offset += len(places)
    return [(np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)) for fold in range(folds)]
