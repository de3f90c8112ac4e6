"""Readings to sparse rows: words with their negation, character n-grams, and what the lexicon counts."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from models_ml.text.normalise import CONTRASTS, Reading, read

Floats = npt.NDArray[np.float32]
CHAR_SIZES = (2, 3, 4, 5)


def word_terms(reading: Reading) -> list[str]:
    """Words, pairs, triples, and words marked by the negation that reaches them (`~gostei`) or that stand after a
    contrast (`>caro`)."""
    tokens = reading.tokens
    terms = list(tokens)
    terms += [f"{a} {b}" for a, b in pairwise(tokens)]
    terms += [f"{a} {b} {c}" for a, b, c in zip(tokens, tokens[1:], tokens[2:], strict=False)]
    terms += [f"~{token}" for token, negated in zip(tokens, reading.negated, strict=True) if negated]
    turned = next((place for place, token in enumerate(tokens) if token in CONTRASTS), None)
    if turned is not None:
        terms += [f">{token}" for token in tokens[turned + 1 :]]
    return terms


def char_terms(reading: Reading) -> list[str]:
    """Character n-grams of 2 to 5 inside each word with its edges: what typing errors leave of it."""
    terms: list[str] = []
    for token in reading.tokens:
        padded = f" {token} "
        length = len(padded)
        for size in CHAR_SIZES:
            if size >= length:
                terms.append(padded)
                break
            terms += [padded[start : start + size] for start in range(length - size + 1)]
    return terms


KINDS: dict[str, Callable[[Reading], list[str]]] = {"word": word_terms, "char": char_terms}


@dataclass(frozen=True)
class Prepared:
    """Texts read and cut into terms once, for every model that is asked about them."""

    readings: list[Reading]
    terms: dict[str, list[list[str]]]  # kind -> terms of each reading

    @classmethod
    def of(cls, texts: Iterable[str]) -> "Prepared":
        """Every text read."""
        readings = [read(text) for text in texts]
        return cls(readings, {kind: [cut(reading) for reading in readings] for kind, cut in KINDS.items()})

    @classmethod
    def of_many(cls, texts: Iterable[str]) -> "Prepared":
        """The same, for as many as are kept: a term that several have is held once, in a tenth of the memory."""
        held: dict[str, str] = {}
        prepared = cls([], {kind: [] for kind in KINDS})
        for text in texts:
            reading = read(text)
            prepared.readings.append(reading)
            for kind, cut in KINDS.items():
                prepared.terms[kind].append([held.setdefault(term, term) for term in cut(reading)])
        return prepared

    def take(self, places: Iterable[int]) -> "Prepared":
        """Some of them, in this order."""
        chosen = list(places)
        return Prepared(
            [self.readings[place] for place in chosen],
            {kind: [terms[place] for place in chosen] for kind, terms in self.terms.items()},
        )

    def __len__(self) -> int:
        return len(self.readings)


@dataclass(frozen=True)
class Vocabulary:
    """The terms of one kind with their weights: logarithmic counts times inverse document frequency, rows of length 1."""

    kind: str
    columns: dict[str, int]
    idf: Floats

    @classmethod
    def of(cls, kind: str, texts: Sequence[Sequence[str]], *, min_texts: int, max_terms: int) -> "Vocabulary":
        """Of texts as terms: those that stand in at least `min_texts` of them, the most frequent `max_terms`."""
        found: Counter[str] = Counter()
        for terms in texts:
            found.update(set(terms))
        kept = sorted(
            (term for term, count in found.items() if count >= min_texts), key=lambda term: (-found[term], term)
        )[:max_terms]
        idf = np.log((1 + len(texts)) / (1 + np.array([found[term] for term in kept], dtype=np.float64))) + 1
        return cls(kind, {term: column for column, term in enumerate(kept)}, idf.astype(np.float32))

    def rows(self, texts: Sequence[Sequence[str]]) -> Any:
        """A CSR matrix of texts (as terms) by the vocabulary, float32; a text without known terms is a row of zeros."""
        columns = self.columns
        starts: list[int] = [0]
        places: list[int] = []
        values: list[int] = []
        for terms in texts:
            counts: dict[int, int] = {}
            for term in terms:
                if (column := columns.get(term)) is not None:
                    counts[column] = counts.get(column, 0) + 1
            places += counts.keys()
            values += counts.values()
            starts.append(len(places))
        indices = np.array(places, dtype=np.int32)
        data = (1 + np.log(np.array(values, dtype=np.float32))) * self.idf[indices]
        matrix = sp.csr_matrix((data, indices, np.array(starts)), shape=(len(texts), len(columns)))
        lengths = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
        lengths[lengths == 0] = 1
        return sp.diags((1 / lengths).astype(np.float32)) @ matrix
