"""Readings to sparse rows: words with their negation, character n-grams, and what the lexicon counts."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from models_ml.text.normalise import CONTRASTS, Reading

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


TERMS: dict[str, Callable[[Reading], list[str]]] = {"word": word_terms, "char": char_terms}


@dataclass(frozen=True)
class Vocabulary:
    """The terms of one kind with their weights: logarithmic counts times inverse document frequency, rows of length 1."""

    kind: str
    columns: dict[str, int]
    idf: Floats

    @classmethod
    def of(cls, kind: str, readings: Iterable[Reading], *, min_texts: int, max_terms: int) -> "Vocabulary":
        """The terms that stand in at least `min_texts` readings, the most frequent `max_terms` of them."""
        found: Counter[str] = Counter()
        texts = 0
        for reading in readings:
            texts += 1
            found.update(set(TERMS[kind](reading)))
        kept = sorted(
            (term for term, count in found.items() if count >= min_texts), key=lambda term: (-found[term], term)
        )[:max_terms]
        idf = np.log((1 + texts) / (1 + np.array([found[term] for term in kept], dtype=np.float64))) + 1
        return cls(kind, {term: column for column, term in enumerate(kept)}, idf.astype(np.float32))

    def rows(self, readings: Sequence[Reading]) -> Any:
        """A CSR matrix of readings by terms, float32; a reading without known terms is a row of zeros."""
        terms, columns = TERMS[self.kind], self.columns
        starts: list[int] = [0]
        places: list[int] = []
        values: list[int] = []
        for reading in readings:
            counts: dict[int, int] = {}
            for term in terms(reading):
                if (column := columns.get(term)) is not None:
                    counts[column] = counts.get(column, 0) + 1
            places += counts.keys()
            values += counts.values()
            starts.append(len(places))
        indices = np.array(places, dtype=np.int32)
        data = (1 + np.log(np.array(values, dtype=np.float32))) * self.idf[indices]
        matrix = sp.csr_matrix((data, indices, np.array(starts)), shape=(len(readings), len(columns)))
        lengths = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
        lengths[lengths == 0] = 1
        return sp.diags((1 / lengths).astype(np.float32)) @ matrix
