"""What the lake holds of a table: its columns, and for each day rows, hash, file and the relay batch it is complete up to."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson

from hub_api.errors import NotFound
from hub_api.platform.lake.store import Store

FILE = "manifest.json"


@dataclass(frozen=True)
class Day:
    """One file. `hash` is the engine's order-free hash of its rows, `sha256` that of the file's bytes."""

    file: str
    rows: int
    hash: str
    batch: int
    schema_version: str
    bytes: int
    sha256: str
    written_at: str


@dataclass
class Manifest:
    """The files of one table. `day_of`: the column whose business day parts them; empty for a table in one file, `all`."""

    table: str
    day_of: str
    timezone: str
    schema_version: str
    columns: list[dict[str, str]]
    days: dict[str, Day] = field(default_factory=dict)


def name_of(table: str) -> str:
    """Where a table's manifest lies: `gold.cost` -> `gold/cost/manifest.json`."""
    return f"{table.replace('.', '/')}/{FILE}"


def file_of(table: str, day: str) -> str:
    """Where a day's file lies, in the form that DuckDB and Polars read as partitions."""
    folder = table.replace(".", "/")
    return f"{folder}/data.parquet" if day == "all" else f"{folder}/day={day}/data.parquet"


def load(store: Store, spool: Path, table: str) -> Manifest | None:
    """A table's manifest; None when the lake has none."""
    file = spool / "manifest"
    try:
        store.fetch(name_of(table), file)
    except NotFound:
        return None
    raw: dict[str, Any] = orjson.loads(file.read_bytes())
    file.unlink()
    return Manifest(**{**raw, "days": {day: Day(**one) for day, one in raw["days"].items()}})


def load_all(store: Store, spool: Path) -> dict[str, Manifest]:
    """Every manifest of the lake, by table."""
    tables = [name.removesuffix(f"/{FILE}").replace("/", ".") for name in store.names() if name.endswith(f"/{FILE}")]
    return {table: found for table in tables if (found := load(store, spool, table))}


def save(store: Store, spool: Path, manifest: Manifest) -> None:
    """Put a manifest in place of the one before."""
    file = spool / "manifest"
    content = asdict(manifest) | {"days": {day: asdict(one) for day, one in sorted(manifest.days.items())}}
    file.write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2))
    store.put(name_of(manifest.table), file)
