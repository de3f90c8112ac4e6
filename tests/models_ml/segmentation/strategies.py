"""Trees and customers of every kind, for hypothesis."""

from typing import Any

from hypothesis import strategies as st

from models_ml.segmentation import tree
from models_ml.segmentation.catalogue import ATTRIBUTES, CONSENTS, DETAILS, METRICS, NULLABLE, PLACES, SENTIMENTS

WORDS = (
    "sp",
    "d'água",
    'a"b',
    "x\\y",
    "{p0:String}",
    "'; DROP TABLE gold.customer_features; --",
    "não",
    "%s",
    "a,b",
    "]",
    "$1",
    "--",
)
words = st.sampled_from(WORDS)
some_words = st.lists(words, min_size=1, max_size=3).map(tuple)
comparisons = st.sampled_from(tree.COMPARISONS)
counts = st.integers(0, 3)
windows = st.sampled_from((1, 3, 7, 10, 30, 90))
texts = [name for name, kind in ATTRIBUTES.items() if kind == "text"]
numbers = [name for name, kind in ATTRIBUTES.items() if kind != "text"]
with_detail = [name for name, detail in DETAILS.items() if detail]


def leaves(ids: list[Any]) -> st.SearchStrategy[tree.Node]:
    """Any condition that stands alone; manual lists take from `ids`."""
    steps = st.builds(tree.Step, st.sampled_from(with_detail[:6]), st.one_of(st.just(()), some_words))
    return st.one_of(
        st.builds(tree.Attribute, st.sampled_from(texts), st.sampled_from(("in", "not_in")), some_words),
        st.builds(tree.Attribute, st.sampled_from(numbers), comparisons, st.sampled_from((0.0, 1.0, 2.0, 2.5, -1.0))),
        st.builds(tree.Known, st.sampled_from(sorted(NULLABLE)), st.booleans()),
        st.builds(tree.Tags, st.sampled_from(("any", "all", "none")), some_words),
        st.builds(tree.Behaviour, st.sampled_from(list(DETAILS)), comparisons, counts, windows, st.sampled_from((0, 0, 5))),
        st.builds(tree.Behaviour, st.sampled_from(with_detail), comparisons, counts, windows, st.just(0), some_words),
        st.builds(tree.Sequence, steps, steps, st.sampled_from((1, 2, 3)), st.sampled_from((3, 10, 90))),
        st.builds(tree.Inactivity, st.integers(1, 4), st.booleans()),
        st.builds(
            tree.Campaign, st.sampled_from(("received", "read", "replied", "not_read", "not_replied")), windows,
            st.one_of(st.just(()), some_words),
        ),
        st.builds(tree.Sentiment, st.sampled_from(SENTIMENTS), comparisons, counts, windows),
        st.builds(tree.Metric, st.sampled_from(list(METRICS)), comparisons, st.sampled_from((0.0, 1.0, 2.5, 60.0)), windows),
        st.builds(tree.Geography, st.sampled_from(PLACES), some_words),
        st.builds(tree.Consent, st.sampled_from(list(CONSENTS)), st.sampled_from(("granted", "refused", "unknown"))),
        st.builds(tree.Random, words, st.sampled_from((0.0, 12.34, 40.0)), st.sampled_from((50.0, 99.99, 100.0))),
        st.builds(tree.Listed, st.lists(st.sampled_from(ids), min_size=1, max_size=4).map(tuple)),
    )  # fmt: skip


def trees(ids: list[Any]) -> st.SearchStrategy[tree.Node]:
    """Whole trees, a few levels deep."""
    return st.recursive(
        leaves(ids),
        lambda inner: st.one_of(
            st.builds(tree.And, st.lists(inner, min_size=1, max_size=3).map(tuple)),
            st.builds(tree.Or, st.lists(inner, min_size=1, max_size=3).map(tuple)),
            st.builds(tree.Not, inner),
        ),
        max_leaves=6,
    )
