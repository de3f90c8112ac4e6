"""The columns of each table with their comments, read from its schema file, for the pages of Dagster's UI."""

import re
from functools import cache
from importlib import resources
from pathlib import Path

import dagster as dg

from hub_api.platform.clickhouse import table_files, table_of

# A column's line in our schema files: name, type, perhaps an expression, and its comment, in which a quote is doubled.
_COLUMN = re.compile(
    r"^    (?P<name>\w+) (?P<type>.+?)(?: (?:DEFAULT|MATERIALIZED) .+?)? COMMENT '(?P<said>(?:[^']|'')*)'", re.M
)


def described(asset: dg.AssetsDefinition) -> dg.AssetsDefinition:
    """The asset with its table's name and columns; as it is when there is no schema file for it."""
    return asset.map_asset_specs(lambda spec: spec.merge_attributes(metadata=_metadata(spec.key)))


def _metadata(key: dg.AssetKey) -> dict[str, object]:
    table = f"{key.path[0]}.{key.path[-1]}"
    columns = _columns().get(table)
    if columns is None:
        return {}
    return {"dagster/table_name": table, "dagster/column_schema": dg.TableSchema(columns=columns)}


@cache
def _columns() -> dict[str, list[dg.TableColumn]]:
    root = Path(str(resources.files("assets")))
    found = {}
    for file in table_files(root):
        text = file.read_text("utf-8").split("ENGINE =")[0]
        found[table_of(file)] = [
            dg.TableColumn(one["name"], one["type"], one["said"].replace("''", "'")) for one in _COLUMN.finditer(text)
        ]
    return found
