"""What a segment may ask for, told to whoever builds one: fields with their kinds, operators, limits; values that occur; sizes."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from hub_api.errors import Invalid
from hub_api.platform import sqlfile
from hub_api.platform.services import Services
from hub_api.platform.warehouse import ask
from models_ml.segmentation import catalogue, parse, tree

questions = sqlfile.load(__package__, "questions.clickhouse.sql")

MOST_VALUES = 200
TAGS = "tags"
# Texts of a customer whose values are few enough to choose from.
COLUMNS = (*(name for name, kind in catalogue.ATTRIBUTES.items() if kind == "text"), *catalogue.PLACES)


def shape() -> dict[str, Any]:
    """The fields of `schemas.Catalogue`: everything `models_ml.segmentation` accepts."""
    return {
        "attributes": [
            {"field": name, "kind": kind, "nullable": name in catalogue.NULLABLE}
            for name, kind in catalogue.ATTRIBUTES.items()
        ],
        "comparisons": list(tree.COMPARISONS),
        "actions": [{"action": action, "detail": detail} for action, detail in catalogue.DETAILS.items()],
        "metrics": list(catalogue.METRICS),
        "sentiments": list(catalogue.SENTIMENTS),
        "places": list(catalogue.PLACES),
        "consents": list(catalogue.CONSENTS),
        "most_depth": parse.MAX_DEPTH,
        "most_conditions": parse.MAX_NODES,
        "most_values": parse.MAX_VALUES,
        "most_listed": parse.MAX_LISTED,
        "most_days": parse.MAX_DAYS,
    }


async def values(services: Services, of: str) -> list[tuple[str, int]]:
    """The values of `of` that occur, with how many customers have each, most first: a column of text, a place, `tags`, or the
    detail of an action (`message.type`).

    Raises Invalid for anything else, Unavailable.
    """
    action, _, detail = of.partition(".")
    parameters: dict[str, str] = {}
    if of in COLUMNS:
        sql = questions.of_column.replace("column_asked", of)
    elif of == TAGS:
        sql = questions.of_tags
    elif detail and catalogue.DETAILS.get(action) == detail:
        sql, parameters = questions.of_action, {"action": action}
    else:
        raise Invalid("no such values", errors=[{"field": "query.of", "message": "names no text, place or detail"}])
    rows = (await ask(services, sql, {**parameters, "limit": MOST_VALUES})).rows
    return [(row[0], int(row[1])) for row in rows]


async def sizes(services: Services) -> Sequence[Mapping[str, Any]]:
    """Members of each segment by the last run of the tables, when and from which version. Raises Unavailable."""
    rows = (await ask(services, questions.sizes)).rows
    return [dict(zip(("segment_id", "members", "version", "computed_at"), _typed(row), strict=True)) for row in rows]


def _typed(row: Sequence[Any]) -> tuple[UUID, int, int, datetime]:
    return row[0], int(row[1]), int(row[2]), row[3]
