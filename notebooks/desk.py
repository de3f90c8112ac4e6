"""What every notebook begins with: the warehouse with a reader's eyes, the lake's files as frames, charts that read alike."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import matplotlib.pyplot as plt
import polars as pl

from hub_api.platform.clickhouse import connect

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TIMEZONE = os.environ.get("HUB_TIMEZONE", "America/Sao_Paulo")
_LINES = ("#0b6e4f", "#d1495b", "#30638e", "#edae49", "#6b4e71", "#8d99ae")


def query(sql: str, **parameters: Any) -> pl.DataFrame:
    """The rows of a ClickHouse query on the warehouse, which a reader may ask but not change; `{name:Type}` in the text
    takes the value of `name`. Raises KeyError outside of `hub notebook`."""
    client = connect(os.environ["HUB_NOTEBOOK_CLICKHOUSE_URL"])
    try:
        frame = pl.from_arrow(client.query_arrow(sql, parameters=parameters, use_strings=True))
    finally:
        client.close()
    assert isinstance(frame, pl.DataFrame)  # noqa: S101 - a table gives a frame
    return _readable(frame.lazy()).collect()


def lake(table: str) -> pl.LazyFrame:
    """A table of the lake, for instance `lake("gold.conversation_facts")`: read only where it is looked at. Ids are text of
    32 hexadecimal digits, times are UTC. Raises FileNotFoundError when the lake has no such table."""
    files = lake_files(table)
    return _readable(pl.scan_parquet(files, hive_partitioning="*" in files))


def lake_files(table: str) -> str:
    """The pattern of a table's files, for `read_parquet` of DuckDB."""
    folder = Path(os.environ["HUB_NOTEBOOK_LAKE"]) / table.replace(".", "/")
    if not folder.is_dir():
        raise FileNotFoundError(f"the lake has no table {table}: write it with `hub lake sync`")
    return str(folder / "data.parquet" if (folder / "data.parquet").exists() else folder / "day=*" / "data.parquet")


def sql(text: str, **tables: str) -> pl.DataFrame:
    """A DuckDB query on files of the lake; `{name}` in the text stands for the table given as `name`."""
    sources = {
        name: f"read_parquet('{lake_files(table)}', hive_partitioning = true)" for name, table in tables.items()
    }
    return duckdb.connect().sql(text.format(**sources)).pl()


def axes(title: str, x: str = "", y: str = "", size: tuple[float, float] = (9, 3.2)) -> "Axes":
    """An empty chart of the house's style."""
    figure, one = plt.subplots(figsize=size, layout="constrained")
    one.set_prop_cycle(color=_LINES)
    one.set_title(title, loc="left", fontsize=11)
    one.set_xlabel(x)
    one.set_ylabel(y)
    one.spines[["top", "right"]].set_visible(False)
    one.grid(axis="y", alpha=0.25)
    figure.autofmt_xdate()
    return one


def share(part: float, whole: float) -> str:
    """A share as people read it here: `12,3 %`; a dash when there is no whole."""
    return f"{100 * part / whole:.1f} %".replace(".", ",") if whole else "–"


def _readable(frame: pl.LazyFrame) -> pl.LazyFrame:
    schema = frame.collect_schema()
    ids: Sequence[str] = [name for name, kind in schema.items() if kind == pl.Binary]
    return frame.with_columns(pl.col(name).bin.encode("hex") for name in ids) if ids else frame
