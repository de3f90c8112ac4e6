"""The models of messages on real texts that lie beside the checkout (they never ship), and what reading costs.

Accuracies are of five-fold cross-validation inside a set, of training on one set and judging on another, and of the model
that ships, which has seen none of them. The bar of each is the issue's figure for untuned TF-IDF and logistic regression.
"""

import csv
import gzip
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from models_ml.messages import ensure, load_reader
from models_ml.sentiment.evaluate import accuracy, confusion, macro_f1, table
from models_ml.text.classifier import Recipe, compare, cross_validate, folds_of, train
from models_ml.text.lexicon import lexicon_score
from models_ml.text.normalise import read
from models_ml.text.vectorise import Prepared
from tests.benchmarks.report import Row, peak_memory

Labelled = tuple[list[str], list[str]]
RECIPE = Recipe(calibrate=False)
# Each fold chooses among these on what it learns from.
CANDIDATES = (RECIPE, replace(RECIPE, strength=30.0, balanced=False))
# In a process of its own: here their memory was taken before, by those that trained them.
_HELD = """
import sys, pathlib, psutil
from models_ml.messages import load_reader
before = psutil.Process().memory_info().rss
reader = load_reader(pathlib.Path(sys.argv[1]))
reader.read(["a internet caiu de novo"])
print((psutil.Process().memory_info().rss - before) / 1e6)
"""
PROBLEMS = ("problemas_de_entrega", "problemas_de_qualidade")


def shared() -> Path:
    """The folder of real texts beside the checkout. Raises FileNotFoundError where there is none."""
    for folder in Path(__file__).parents:
        if (path := folder / "shared" / "data").exists():
            return path
    raise FileNotFoundError("no shared/data beside this checkout: real texts are needed, and may not be shipped")


def rows(name: str) -> list[dict[str, str]]:
    with gzip.open(shared() / name, "rt", encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def reviews(name: str, *, title: bool) -> Labelled:
    """Reviews with one or two stars against four or five."""
    said = [row for row in rows(f"{name}/reviews.csv.gz") if row["label"] != "neu"]
    texts = [f"{row['title']}. {row['text']}" if title else row["text"] for row in said]
    return texts, [{"pos": "positive", "neg": "negative"}[row["label"]] for row in said]


def satisfied() -> Labelled:
    """Messages that people judged: a satisfied customer or a problem."""
    said = [row for row in rows("olist_reasons/messages.csv.gz") if row["class"]]
    return [row["text"] for row in said], ["negative" if row["class"] in PROBLEMS else "positive" for row in said]


def reasons() -> Labelled:
    """The same messages with one of nine reasons of contact."""
    said = [row for row in rows("olist_reasons/messages.csv.gz") if row["reason"]]
    return [row["text"] for row in said], [row["reason"] for row in said]


def intents() -> Labelled:
    """Questions to a chatbot of the ministry of culture: 104 intents."""
    said = rows("tais_intents_ptbr/intents.csv.gz")
    return [row["text"] for row in said], [row["intent"] for row in said]


async def run(scale: float) -> list[Row]:
    """Accuracy and macro-F1 of every set, its baselines, and cost; confusions go to standard output."""
    sets: dict[str, tuple[Labelled, float | None]] = {
        "b2w reviews, title and text": (reviews("b2w_reviews", title=True), 0.965),
        "b2w reviews, text only": (reviews("b2w_reviews", title=False), None),
        "olist reviews, title and text": (reviews("olist_reviews", title=True), 0.927),
        "olist, satisfied or not (people)": (satisfied(), 0.928),
        "olist, nine reasons (people)": (reasons(), 0.68),
        "tais, 104 intents": (intents(), None),
    }
    step = max(1, round(1 / scale))
    # The bars are of whole sets: from a part of the texts less is learned.
    sets = {name: ((x[::step], y[::step]), bar if step == 1 else None) for name, ((x, y), bar) in sets.items()}
    found = [row for name, (labelled, bar) in sets.items() for row in _in_domain(name, labelled, bar)]
    found += _across(
        {name: labelled for name, (labelled, _) in sets.items() if "tais" not in name and "nine" not in name}
    )
    with TemporaryDirectory() as folder:  # trained once for both
        found += [*_shipped(sets, Path(folder)), *_cost(scale, Path(folder))]
    return [*found, Row("memory of all of this at its highest", peak_memory(os.getpid()))]


def _in_domain(name: str, labelled: Labelled, bar: float | None) -> list[Row]:
    texts, truth = labelled
    several = len(set(truth)) > 2
    said = cross_validate(Prepared.of_many(texts), truth, RECIPE)[0] if several else _chosen(texts, truth)
    print(f"\n{name}: rows are the truth\n{table(confusion(truth, said))}" if len(set(truth)) <= 10 else "")
    majority = [Counter(truth).most_common(1)[0][0]] * len(truth)
    few = len(set(truth)) == 2
    figure = accuracy(truth, said) if few else macro_f1(truth, said)
    floor = f", word list {accuracy(truth, _by_words(texts)):.3f}" if few else ""
    shown = [
        Row(
            f"cross-validated: {name}", f"accuracy {accuracy(truth, said):.4f}, macro-F1 {macro_f1(truth, said):.4f}",
            figure / bar if bar else None, f"{'accuracy' if few else 'macro-F1'} {bar} (issue, untuned)" if bar else "", 1 if bar else None,
            f"{len(texts)} texts; majority {accuracy(truth, majority):.3f}{floor}",
        )
    ]  # fmt: skip
    if bar:
        plain = _untuned(texts, truth)
        beside = accuracy(truth, plain) if few else macro_f1(truth, plain)
        shown.append(
            Row(
                f"the same, {name}",
                f"{figure:.4f}",
                figure / beside,
                f"untuned TF-IDF in the same folds, {beside:.4f}",
                1,
            )
        )
    return shown


def _chosen(texts: Sequence[str], truth: Sequence[str]) -> list[str]:
    """Each text's class by a classifier trained without it, whose recipe and way with titles were chosen without it too."""
    targets, told = np.array(truth), np.array(truth, dtype=object)
    # Read and cut once for all folds: that is most of the work.
    ways = [Prepared.of_many(texts), Prepared.of_many(map(_title_twice, texts))]
    for seen, unseen in folds_of(targets, 5, 1):
        labels = targets[seen].tolist()
        options = [
            (right, -place, way, recipe)
            for place, way in enumerate(ways)
            for recipe, right in zip(CANDIDATES, compare(way.take(seen), labels, CANDIDATES), strict=True)
        ]
        _, _, way, recipe = max(options, key=lambda option: option[:2])
        told[unseen] = train(way.take(seen), labels, recipe=recipe).predict(way.take(unseen))
    return [str(one) for one in told]


def _title_twice(text: str) -> str:
    """What stands before the first full stop, once more before it: a title says in few words what the text does in many."""
    title, stop, _ = text.partition(". ")
    return f"{title}. {text}" if stop else text


def _untuned(texts: Sequence[str], truth: Sequence[str]) -> list[str]:
    """What the issue's recipe says in the folds of `cross_validate`: its own figures are of a split that is not known here."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline, make_union

    targets, told = np.array(truth), np.array(truth, dtype=object)
    for seen, unseen in folds_of(targets, 5, 1):
        words, signs = TfidfVectorizer(ngram_range=(1, 2)), TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5))
        model = make_pipeline(make_union(words, signs), LogisticRegression(max_iter=1000))
        model.fit([texts[n] for n in seen], targets[seen])
        told[unseen] = model.predict([texts[n] for n in unseen])
    return [str(one) for one in told]


def _by_words(texts: Sequence[str]) -> list[str]:
    return ["positive" if lexicon_score(read(text)) >= 0 else "negative" for text in texts]


def _across(sets: dict[str, Labelled]) -> list[Row]:
    found = []
    for source in ("b2w reviews, title and text", "olist reviews, title and text"):
        learned, classes = sets[source]
        model = train(Prepared.of_many(learned), classes, recipe=RECIPE)
        for target, (texts, truth) in sets.items():
            if target.split(",")[0] != source.split(",")[0]:
                said = model.predict(texts)
                figure = f"accuracy {accuracy(truth, said):.4f}, macro-F1 {macro_f1(truth, said):.4f}"
                found.append(Row(f"trained on {source}", figure, note=f"judged on {target}"))
    return found


def _shipped(sets: dict[str, tuple[Labelled, float | None]], folder: Path) -> list[Row]:
    began, processor = time.monotonic(), time.process_time()
    manifests = ensure(folder)
    spent = f"{time.monotonic() - began:.0f} s ({time.process_time() - processor:.0f} s of a core)"
    size = sum(path.stat().st_size for path in folder.rglob("*.*")) / 1e6
    found = [Row("training what ships", spent, note=f"{size:.1f} MB on disk; the bar is 60 s")]
    reader = load_reader(folder)
    for manifest in manifests.values():
        print(f"\n{manifest.name} {manifest.version}")
        for name, value in manifest.metrics.items():
            print(f"  {name}: {value}" if "confusion" not in name else f"  {name}:\n{table(value)}")
    for name, ((texts, truth), _) in sets.items():
        if set(truth) == {"positive", "negative"}:
            answers = reader.read(texts)
            said = ["positive" if one.score >= 0 else "negative" for one in answers]
            figure = f"accuracy {accuracy(truth, said):.4f}, macro-F1 {macro_f1(truth, said):.4f}"
            floor = macro_f1(truth, _by_words(texts))
            shares = Counter(one.label for one in answers)
            note = ", ".join(f"{label} {count / len(texts):.2f}" for label, count in shares.most_common())
            found.append(
                Row(f"what ships: {name}", figure, macro_f1(truth, said) / floor, "word list, macro-F1", 1, note)
            )
    texts, _ = sets["tais, 104 intents"][0]
    neutral = sum(one.label == "neutral" for one in reader.read(texts)) / len(texts)
    return [*found, Row("what ships: tais, questions called neutral", f"{neutral:.3f}", note="nobody complains to it")]


def _cost(scale: float, folder: Path) -> list[Row]:
    texts = reviews("olist_reviews", title=False)[0]
    thousand = (texts * 4)[: max(200, int(1000 * scale))]
    reader = load_reader(folder)
    alone = subprocess.run([sys.executable, "-c", _HELD, str(folder)], capture_output=True, text=True, check=True)
    one = _timed(lambda: [reader.read([text]) for text in thousand])
    many = _timed(lambda: [reader.read(thousand[start : start + 256]) for start in range(0, len(thousand), 256)])
    per = 1000 / len(thousand)
    return [
        Row("1,000 messages one by one", f"{one * per:.2f} s of a core", note="sentiment, aspects, intent"),
        Row("1,000 messages in batches of 256", f"{many * per:.2f} s of a core", one / many, "one by one"),
        Row("memory of the loaded models", f"{float(alone.stdout):.0f} MB"),
    ]


def _timed(act: Callable[[], object]) -> float:
    """Processor seconds of the best of three runs: others use this machine too."""
    spent = []
    for _ in range(3):
        began = time.process_time()
        act()
        spent.append(time.process_time() - began)
    return min(spent)
