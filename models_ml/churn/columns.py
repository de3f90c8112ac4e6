"""What a frame's columns are, decided once in training and kept with the model: serving reads them the same way."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

Floats = np.ndarray[Any, np.dtype[np.float64]]
NUMBERS_AS_TEXT = 0.95  # a text column of which so many filled values are numbers is a number (blanks are missing)
MAX_CATEGORIES = 50


@dataclass(frozen=True)
class Columns:
    """Numeric columns, categorical ones with their values, and those left out with the reason."""

    numeric: tuple[str, ...]
    categories: dict[str, tuple[str, ...]]
    left_out: dict[str, str]

    @property
    def names(self) -> tuple[str, ...]:
        """The features, numeric ones first; explanations are in this order."""
        return (*self.numeric, *self.categories)

    @property
    def owner(self) -> list[int]:
        """For each column of `matrix` the position in `names` of the feature it belongs to."""
        numeric = list(range(len(self.numeric)))
        return numeric + [
            len(numeric) + position for position, values in enumerate(self.categories.values()) for _ in values
        ]

    def matrix(self, frame: "pd.DataFrame") -> Floats:
        """The features as numbers: numeric columns with NaN where missing, then one indicator per known category.

        Raises ValueError naming the features that `frame` lacks: a missing column is an error, not a zero.
        """
        import pandas as pd

        if missing := [name for name in self.names if name not in frame]:
            raise ValueError(f"the frame lacks features of the model: {missing}")
        parts = [
            pd.to_numeric(_plain(frame[name]), errors="coerce").to_numpy(float, na_value=np.nan)
            for name in self.numeric
        ]
        for name, values in self.categories.items():
            texts = _texts(frame[name])
            parts += [(texts == value).astype(float) for value in values]
        stacked = np.column_stack(parts) if parts else np.empty((len(frame), 0))
        stacked[~np.isfinite(stacked)] = np.nan
        return stacked


def learn_columns(frame: "pd.DataFrame", ignore: Sequence[str] = ()) -> Columns:
    """Decide what each column of `frame` is.

    Left out: those of `ignore`, dates, texts with a value of its own for almost every row (identifiers), and columns with
    one value. Texts that are numbers become numeric. Categories of fewer than 0.2 % of the rows get no indicator.
    Raises ValueError when nothing is left.
    """
    import pandas as pd
    from pandas.api import types

    numeric, categories, left_out = list[str](), dict[str, tuple[str, ...]](), dict[str, str]()
    for name in map(str, frame.columns):
        column = frame[name]
        if name in ignore:
            left_out[name] = "not wanted"
        elif types.is_datetime64_any_dtype(column):
            left_out[name] = "a date"
        elif column.nunique(dropna=False) < 2:
            left_out[name] = "one value"
        elif types.is_numeric_dtype(column):
            numeric.append(name)
        else:
            filled = _plain(column).dropna()
            if len(filled) and pd.to_numeric(filled, errors="coerce").notna().mean() >= NUMBERS_AS_TEXT:
                numeric.append(name)
                continue
            texts = pd.Series(_texts(column))
            counts = texts.value_counts()
            if len(counts) > max(MAX_CATEGORIES, 0.5 * len(frame)):
                left_out[name] = "an identifier"
                continue
            kept = counts[counts >= 0.002 * len(frame)].index[:MAX_CATEGORIES]
            categories[name] = tuple(sorted(map(str, kept)))
    if not numeric and not categories:
        raise ValueError(f"no column can be a feature: {left_out}")
    return Columns(tuple(numeric), categories, left_out)


def learn_target(target: Any) -> np.ndarray[Any, np.dtype[np.int8]]:
    """The target as 0 and 1, from booleans, 0/1 or yes/no texts (yes, sim, true, 1; upper or lower case).

    Raises ValueError for missing or other values, and for a target with one value only.
    """
    words = {"1": 1, "1.0": 1, "true": 1, "yes": 1, "sim": 1, "0": 0, "0.0": 0, "false": 0, "no": 0, "não": 0, "nao": 0}
    texts = [str(value).strip().lower() for value in np.asarray(target, dtype=object)]
    if strangers := sorted(set(texts) - set(words)):
        raise ValueError(f"a target is yes or no (1 or 0); found {strangers[:3]}")
    found = np.array([words[text] for text in texts], dtype=np.int8)
    if len(np.unique(found)) < 2:
        raise ValueError("the target has one value only: nothing can be learned from it")
    return found


def _plain(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """Blank texts as missing; other values as they are."""
    from pandas.api import types

    if types.is_numeric_dtype(column):
        return column
    return column.astype("object").map(lambda value: value.strip() or None if isinstance(value, str) else value)


def _texts(column: "pd.Series[Any]") -> Any:
    """Stripped texts; missing values as the empty one."""
    filled = column.astype("object").where(column.notna(), "")
    return filled.map(lambda value: str(value).strip()).to_numpy()
