"""Superset's words for dates ("DATEADD(…)" of the pages' periods), evaluated one at a time.

pyparsing finishes a grammar while it parses the first text with it. A second thread that comes meanwhile meets half of it and finds
a fault in a text that has none: the charts of the first page after a start showed it instead of their figures.
"""

from datetime import datetime
from threading import Lock

from superset.utils import date_parser


def evaluate_one_at_a_time() -> None:
    """Put a lock around the evaluation; a text takes milliseconds."""
    evaluate, alone = date_parser.datetime_eval, Lock()

    def guarded(expression: str | None = None) -> datetime | None:
        with alone:
            return evaluate(expression)

    date_parser.datetime_eval = guarded
