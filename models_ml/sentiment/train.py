"""Trains the sentiment model from our corpus, and from a teacher's labels where there are any."""

from collections.abc import Sequence

from models_ml.sentiment.compose import compose
from models_ml.sentiment.corpus import Corpus, Label, Line, clauses
from models_ml.sentiment.model import NO_ASPECT, SentimentModel
from models_ml.text.classifier import Recipe, train

COMPOSED = 2400  # messages joined from clauses
COMPOSED_WEIGHT = 0.4  # beside a line that somebody wrote as a whole
SENTIMENT = Recipe(strength=6.0, ratio=False, max_terms=50_000, lexicon=1.0)
ASPECT = Recipe(strength=10.0, ratio=False, max_terms=30_000, lexicon=0.0)


def train_sentiment(corpus: Corpus, labels: Sequence[Label] = ()) -> SentimentModel:
    """The model from the corpus' learned lines, composed messages and a teacher's `labels`; deterministic.

    Labels weigh what they say they weigh and bring no words of their own: the vocabulary is that of our corpus, so no
    name or number that a customer wrote can be read out of the model. Labels of held-out texts are left out by the caller
    or do no harm: a label's text is learned, never judged.
    """
    lines, weights = lessons(corpus)
    taught = [label for label in labels if label.sentiment]
    classifier = train(
        [*(line.text for line in lines), *(label.text for label in taught)],
        [*(line.sentiment for line in lines), *(label.sentiment for label in taught)],
        [*weights, *(label.weight for label in taught)],
        SENTIMENT,
        vocabulary_from=len(lines),
    )
    about = [
        (line.text, next(iter(line.aspects), NO_ASPECT), 1.0) for line in corpus.learned if len(line.aspects) <= 1
    ] + [(text, aspect, 1.0) for aspect, _, text in clauses() if corpus.may_learn(text)]
    aspect = train([a for a, _, _ in about], [b for _, b, _ in about], [c for _, _, c in about], ASPECT)
    return SentimentModel(classifier, aspect)


def lessons(corpus: Corpus) -> tuple[list[Line], list[float]]:
    """What the sentiment is learned from, with weights: the corpus' lines, then composed messages."""
    composed = [line for line in compose(clauses(), COMPOSED) if corpus.may_learn(line.text)]
    return [*corpus.learned, *composed], [1.0] * len(corpus.learned) + [COMPOSED_WEIGHT] * len(composed)
