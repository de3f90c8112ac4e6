"""The pipeline on real customers' texts, which never ship: trained on each set by cross-validation, and the shipped model as
it is. `python -m tests.benchmarks sentiment` has every set at full size."""

import csv
import gzip
from collections.abc import Callable
from pathlib import Path

from models_ml.messages import MessageReader
from models_ml.sentiment.evaluate import accuracy, by_lexicon, macro_f1
from models_ml.text.classifier import Recipe, cross_validate
from models_ml.text.lexicon import lexicon_score
from models_ml.text.normalise import read


def rows(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def test_satisfied_or_not_as_three_people_judged(shared: Callable[[str], Path]) -> None:
    said = [row for row in rows(shared("olist_reasons/messages.csv.gz")) if row["class"]]
    texts = [row["text"] for row in said]
    truth = ["positive" if row["class"] == "satisfeito_com_pedido" else "negative" for row in said]
    found, _, _ = cross_validate(texts, truth, Recipe(calibrate=False), folds=3)
    assert accuracy(truth, found) > 0.93  # the figure, untuned: 0.928
    floor = [by_lexicon(lexicon_score(read(text))) for text in texts]
    assert macro_f1(truth, found) > macro_f1(truth, floor) + 0.1


def test_what_ships_tells_satisfied_customers_of_a_shop_from_others(
    reader: MessageReader, shared: Callable[[str], Path]
) -> None:
    said = [row for row in rows(shared("olist_reviews/reviews.csv.gz")) if row["label"] != "neu"][:800]
    truth = [row["label"] for row in said]
    found = ["pos" if one.score > 0 else "neg" for one in reader.read([row["text"] for row in said])]
    assert accuracy(truth, found) > 0.78, "another domain, no text of it learned"
