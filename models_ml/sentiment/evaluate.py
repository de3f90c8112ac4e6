"""How good a classifier is: accuracy, macro-F1, confusion, calibration, figures by slice, and the floors of promotion."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from models_ml.sentiment.corpus import ASPECTS, CLASSES, Corpus, Line
from models_ml.sentiment.model import Sentiment, SentimentModel

# The least that a version must reach on what it never saw; below the figures of the model card by what a change of the
# corpus or of a library may cost. A version below them is kept, and not used.
FLOORS = {
    "held_out_accuracy": 0.80,
    "held_out_macro_f1": 0.72,
    "challenge_macro_f1": 0.65,
    "held_out_above_lexicon": 0.15,
    "aspect_f1": 0.70,
    "calibration": 0.92,
}


def accuracy(truth: Sequence[str], found: Sequence[str]) -> float:
    """Share of texts with the right class; 0 for none."""
    return sum(a == b for a, b in zip(truth, found, strict=True)) / len(truth) if truth else 0.0


def macro_f1(truth: Sequence[str], found: Sequence[str]) -> float:
    """Mean over the classes that `truth` has of the harmonic mean of precision and recall."""
    return float(np.mean([f1(truth, found, name) for name in sorted(set(truth))])) if truth else 0.0


def f1(truth: Sequence[str], found: Sequence[str], name: str) -> float:
    """Of one class; 0 when it was never found rightly."""
    right = sum(a == b == name for a, b in zip(truth, found, strict=True))
    claimed, there = sum(b == name for b in found), sum(a == name for a in truth)
    return 2 * right / (claimed + there) if claimed + there else 0.0


def confusion(truth: Sequence[str], found: Sequence[str]) -> dict[str, dict[str, int]]:
    """Truth -> found -> count, classes of either side."""
    names = sorted({*truth, *found})
    counts = {name: dict.fromkeys(names, 0) for name in names}
    for a, b in zip(truth, found, strict=True):
        counts[a][b] += 1
    return counts


def calibration_error(truth: Sequence[str], probabilities: npt.NDArray[np.float64], classes: Sequence[str]) -> float:
    """Expected calibration error of the likeliest class in ten equal bins (Guo et al. 2017), 0 (best) to 1."""
    if not len(truth):
        return 0.0
    sure, right = (
        probabilities.max(axis=1),
        np.array([classes[p] for p in probabilities.argmax(axis=1)]) == np.array(truth),
    )
    bins = np.minimum((sure * 10).astype(int), 9)
    return float(
        sum(abs(sure[bins == b].mean() - right[bins == b].mean()) * (bins == b).mean() for b in np.unique(bins))
    )


def aspect_figures(lines: Sequence[Line], answers: Sequence[Sentiment]) -> dict[str, Any]:
    """Of the pairs of message and aspect: F1 of finding them, and the share of found ones with the right polarity."""
    found = there = both = right = told = 0
    per_aspect: dict[str, list[int]] = {name: [0, 0, 0] for name in ASPECTS}
    for line, answer in zip(lines, answers, strict=True):
        for name in ASPECTS:
            is_there, is_found = name in line.aspects, name in answer.aspects
            there, found, both = there + is_there, found + is_found, both + (is_there and is_found)
            per_aspect[name] = [
                a + b for a, b in zip(per_aspect[name], (is_there, is_found, is_there and is_found), strict=True)
            ]
            if is_there and is_found and line.aspects[name]:
                told, right = told + 1, right + (line.aspects[name] == answer.aspects[name])
    return {
        "aspect_f1": 2 * both / (there + found) if there + found else 0.0,
        "aspect_polarity_accuracy": right / told if told else 0.0,
        "aspect_f1_by_aspect": {
            name: round(2 * c / (a + b), 4) if a + b else 0.0 for name, (a, b, c) in per_aspect.items()
        },
    }


def by_slice(lines: Sequence[Line], found: Sequence[str], key: Callable[[Line], str]) -> dict[str, dict[str, float]]:
    """Accuracy and count of each slice, the largest first."""
    groups: dict[str, list[bool]] = defaultdict(list)
    for line, label in zip(lines, found, strict=True):
        groups[key(line)].append(line.sentiment == label)
    return {
        name: {"texts": len(hits), "accuracy": round(sum(hits) / len(hits), 4)}
        for name, hits in sorted(groups.items(), key=lambda item: -len(item[1]))
    }


def evaluate(model: SentimentModel, corpus: Corpus) -> dict[str, Any]:
    """Every figure of the model card on lines that the model never saw; those named in FLOORS decide on its promotion."""
    from models_ml.text.lexicon import lexicon_score
    from models_ml.text.normalise import read

    figures: dict[str, Any] = {}
    for name, lines in (("held_out", corpus.held_out), ("challenge", corpus.challenge)):
        truth, answers = [line.sentiment for line in lines], model.predict([line.text for line in lines])
        found = [answer.label for answer in answers]
        floor = [by_lexicon(lexicon_score(read(line.text))) for line in lines]
        shares = np.array([[answer.probabilities[c] for c in CLASSES] for answer in answers])
        figures |= {
            f"{name}_texts": len(lines),
            f"{name}_accuracy": accuracy(truth, found),
            f"{name}_macro_f1": macro_f1(truth, found),
            f"{name}_f1": {c: round(f1(truth, found, c), 4) for c in CLASSES},
            f"{name}_lexicon_macro_f1": macro_f1(truth, floor),
            f"{name}_majority_macro_f1": macro_f1(truth, ["neutral"] * len(truth)),
            f"{name}_confusion": confusion(truth, found),
            f"{name}_by": by_slice(lines, found, lambda line: line.shows),
            f"{name}_calibration_error": calibration_error(truth, shares, CLASSES),
        }
        figures |= {
            (key if name == "challenge" else f"held_out_{key}"): value
            for key, value in aspect_figures(lines, answers).items()
        }
        if name == "held_out":
            figures["held_out_by_region"] = by_slice(lines, found, lambda line: line.region)
    figures["held_out_above_lexicon"] = figures["held_out_macro_f1"] - figures["held_out_lexicon_macro_f1"]
    figures["calibration"] = 1 - figures["held_out_calibration_error"]
    return {key: round(value, 4) if isinstance(value, float) else value for key, value in figures.items()}


def by_lexicon(score: float) -> str:
    """The class that the word list alone gives."""
    return "positive" if score > 0.25 else "negative" if score < -0.25 else "neutral"


def table(counts: Mapping[str, Mapping[str, int]]) -> str:
    """A confusion as text: rows are the truth, columns what was found."""
    names = list(counts)
    head = " " * 12 + "".join(f"{name[:10]:>11}" for name in names)
    return "\n".join(
        [head, *(f"{name[:12]:<12}" + "".join(f"{counts[name][other]:>11}" for other in names) for name in names)]
    )
