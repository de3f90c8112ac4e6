"""Texts with variables: their length, where variables may stand, how they are named, and the example of each."""

import itertools
import re
from collections.abc import Mapping, Sequence
from typing import Any

from hub_api.whatsapp.templates.faults import Found
from hub_api.whatsapp.templates.shape import VARIABLE, objects, read_text

_PARAMETER = re.compile(r"[a-z][a-z0-9_]*")


def check_text(
    text: Any, example: Mapping[str, Any], path: str, parameter_format: str, found: Found, *, key: str, limit: int
) -> None:
    """A text with variables and their examples; `key` is body or header, as Meta names the examples after it."""
    if not isinstance(text, str) or not text.strip():
        found.fault(f"{path}.text", "is missing or empty")
        return
    if len(text) > limit:
        found.fault(f"{path}.text", f"has {len(text)} characters, at most {limit} are allowed")
    _check_variables(text, f"{path}.text", parameter_format, found)
    names = read_text(text).variables
    if names:
        _check_examples(names, example, path, parameter_format, found, key)


def _check_variables(text: str, path: str, parameter_format: str, found: Found) -> None:
    spots = list(VARIABLE.finditer(text))
    if text.count("{{") != len(spots) or text.count("}}") != len(spots):
        found.fault(path, "has a variable that is not closed: write {{1}} or {{nome}}")
    if not spots:
        return
    stripped_start, stripped_end = len(text) - len(text.lstrip()), len(text.rstrip())
    if spots[0].start() == stripped_start or spots[-1].end() == stripped_end:
        found.fault(path, "may not start or end with a variable")
    if any(not text[a.end() : b.start()].strip() for a, b in itertools.pairwise(spots)):
        found.fault(path, "may not have variables next to each other")
    names = read_text(text).variables
    if parameter_format == "NAMED":
        wrong = [name for name in names if not _PARAMETER.fullmatch(name)]
        if wrong:
            found.fault(
                path, f"mixes formats: {{{{{wrong[0]}}}}} is no name of lower case letters, digits, underscores"
            )
    elif any(not name.isdigit() for name in names):
        found.fault(path, "mixes formats: with parameter_format POSITIONAL variables are {{1}}, {{2}}, …")
    elif sorted(map(int, names)) != list(range(1, len(names) + 1)):
        found.fault(path, "must number its variables from 1 without gaps")


def _check_examples(
    names: Sequence[str], example: Mapping[str, Any], path: str, parameter_format: str, found: Found, key: str
) -> None:
    if parameter_format == "NAMED":
        where = f"{path}.example.{key}_text_named_params"
        given = {
            str(one.get("param_name")): one.get("example") for one in objects(example.get(f"{key}_text_named_params"))
        }
        missing = [name for name in names if not given.get(name)]
        if missing:
            found.fault(where, f"has no example for {', '.join(missing)}")
        if extra := given.keys() - set(names):
            found.fault(where, f"has an example for {min(extra)}, which the text does not use")
        return
    where, given_values = f"{path}.example.{key}_text", example.get(f"{key}_text")
    if key == "body":  # Meta wants a list of sets of examples for the body, a plain list for the header
        given_values = given_values[0] if isinstance(given_values, list) and given_values else None
    count = len([value for value in given_values if value]) if isinstance(given_values, list) else 0
    if count != len(names):
        found.fault(where, f"has {count} examples for {len(names)} variables")
