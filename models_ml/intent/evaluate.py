"""How good the intent model is on lines that it never saw, and the floors of its promotion."""

from collections import Counter
from typing import Any

from models_ml.intent.model import IntentModel
from models_ml.sentiment.corpus import Corpus
from models_ml.sentiment.evaluate import accuracy, calibration_error, confusion, f1, macro_f1

FLOORS = {
    "intent_accuracy": 0.52,
    "intent_macro_f1": 0.50,
    "intent_top3": 0.75,
    "reason_accuracy": 0.68,
    "reason_macro_f1": 0.65,
}


def evaluate(model: IntentModel, corpus: Corpus) -> dict[str, Any]:
    """Every figure of the model card; those named in FLOORS decide on the promotion."""
    lines = [line for line in corpus.held_out if line.intent]
    texts, truth = [line.text for line in lines], [line.intent for line in lines]
    reasons = [line.reason for line in lines]
    answers, shares = model.predict(texts), model.classifier.probabilities(texts)
    found, found_reasons = [answer.name for answer in answers], [answer.reason for answer in answers]
    names = model.classifier.classes
    top3 = [{names[place] for place in row.argsort()[-3:]} for row in shares]
    commonest = Counter(line.reason for line in corpus.learned if line.reason).most_common(1)[0][0]
    wrong = Counter((a, b) for a, b in zip(truth, found, strict=True) if a != b)
    figures = {
        "intent_texts": len(lines),
        "intents": len(names),
        "intent_accuracy": accuracy(truth, found),
        "intent_macro_f1": macro_f1(truth, found),
        "intent_top3": sum(name in three for name, three in zip(truth, top3, strict=True)) / len(lines),
        "intent_calibration_error": calibration_error(truth, shares, names),
        "intent_confused": [f"{a} as {b}: {count}" for (a, b), count in wrong.most_common(10)],
        "reason_accuracy": accuracy(reasons, found_reasons),
        "reason_macro_f1": macro_f1(reasons, found_reasons),
        "reason_f1": {name: round(f1(reasons, found_reasons, name), 4) for name in sorted(set(reasons))},
        "reason_majority_accuracy": accuracy(reasons, [commonest] * len(reasons)),
        "reason_confusion": confusion(reasons, found_reasons),
    }
    return {key: round(value, 4) if isinstance(value, float) else value for key, value in figures.items()}
