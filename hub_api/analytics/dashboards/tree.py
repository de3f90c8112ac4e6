"""The dashboards as they are written down in `dashboards/superset/`, and the importer's bundle made of them.

What Superset's import format repeats in every file (ids, versions, positions in a grid, the same options of each kind of
chart) is added here; ids follow from names (UUID version 5), so the same tree is the same bundle, byte by byte.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import yaml

from hub_api.errors import Invalid

TREE = Path(__file__).parents[3] / "dashboards" / "superset"
NAMESPACE = UUID("6f3c1f0e-6a0e-5d8e-9f4b-0a5d1c7b2e11")
DATABASE = "Warehouse"
COLUMNS = 12  # of Superset's grid
CERTIFIED_BY = "Telecom Hub"
_MTIME = (2026, 1, 1, 0, 0, 0)  # of every file in the bundle, which must not depend on the day


@dataclass(frozen=True, slots=True)
class Dataset:
    """A restricted view of gold with its columns and metrics, as its YAML says."""

    name: str
    spec: Mapping[str, Any]

    @property
    def columns(self) -> Mapping[str, Mapping[str, Any]]:
        """Columns by name: title, type, and `sql` of those that are calculated."""
        columns: Mapping[str, Mapping[str, Any]] = self.spec["columns"]
        return columns


@dataclass(frozen=True, slots=True)
class Dashboard:
    """A page: its YAML, and its charts by key."""

    slug: str
    spec: Mapping[str, Any]
    charts: Mapping[str, Mapping[str, Any]]

    @property
    def permission(self) -> str:
        """Whoever has it sees the page."""
        permission: str = self.spec["permission"]
        return permission


@dataclass(frozen=True, slots=True)
class Tree:
    """All that is provisioned."""

    datasets: Mapping[str, Dataset]
    dashboards: Mapping[str, Dashboard]


@cache
def read_tree(folder: Path = TREE) -> Tree:
    """The tree of a folder. Raises Invalid naming the file of a chart that is not placed, or whose dataset there is not."""
    datasets = {file.stem: Dataset(file.stem, _yaml(file)) for file in sorted(folder.glob("datasets/*.yaml"))}
    dashboards = {}
    for file in sorted(folder.glob("dashboards/*.yaml")):
        spec = _yaml(file)
        charts = _yaml(folder / "charts" / file.name)
        placed = [cell["chart"] for row in spec["rows"] for cell in row if "chart" in cell]
        if sorted(placed) != sorted(charts):
            raise Invalid(f"{file}: the rows and charts/{file.name} differ: {sorted(set(placed) ^ set(charts))}")
        if strange := {chart["dataset"] for chart in charts.values()} - datasets.keys():
            raise Invalid(f"charts/{file.name} names datasets that there are not: {sorted(strange)}")
        dashboards[file.stem] = Dashboard(file.stem, spec, charts)
    return Tree(datasets, dict(sorted(dashboards.items(), key=lambda item: item[1].spec["order"])))


def bundle(tree: Tree, *, address: str, timezone: str) -> tuple[bytes, str]:
    """The importer's zip file for a warehouse at `address` (without its password), and the fingerprint of its content."""
    files = {
        "metadata.yaml": {"version": "1.0.0", "type": "assets", "timestamp": "2026-01-01T00:00:00+00:00"},
        f"databases/{DATABASE}.yaml": _database(address),
        **{f"datasets/{DATABASE}/{one.name}.yaml": _dataset(one, timezone) for one in tree.datasets.values()},
    }
    for dashboard in tree.dashboards.values():
        for key, chart in dashboard.charts.items():
            files[f"charts/{dashboard.slug}_{key}.yaml"] = _chart(
                dashboard, key, chart, tree.datasets[chart["dataset"]]
            )
    texts = {name: json.dumps(content, sort_keys=True) for name, content in files.items()}
    pages = {one.slug: _dashboard(one, tree) for one in tree.dashboards.values()}
    print_of = hashlib.sha256(json.dumps([texts, pages], sort_keys=True).encode()).hexdigest()[:12]
    for slug, page in pages.items():  # a page says which version it is of
        texts[f"dashboards/{slug}.yaml"] = json.dumps({**page, "certification_details": print_of}, sort_keys=True)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in texts.items():
            archive.writestr(zipfile.ZipInfo(f"hub/{name}", _MTIME), text)  # JSON is YAML
    return packed.getvalue(), print_of


def id_of(kind: str, name: str) -> str:
    """The id of a database, dataset, chart, dashboard or embedding."""
    return str(uuid5(NAMESPACE, f"{kind}/{name}"))


def _yaml(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(file.read_text("utf-8"))
    return content


def _external(content: dict[str, Any]) -> dict[str, Any]:
    return {**content, "version": "1.0.0", "is_managed_externally": True}


def _database(address: str) -> dict[str, Any]:
    return _external(
        {
            "database_name": DATABASE, "sqlalchemy_uri": address, "uuid": id_of("database", DATABASE), "expose_in_sqllab": True,
            "allow_run_async": False, "allow_ctas": False, "allow_cvas": False, "allow_dml": False, "allow_csv_upload": False,
            "cache_timeout": 300, "extra": {"allows_virtual_table_explore": True, "version": "26.9"},
        }
    )  # fmt: skip


def _dataset(dataset: Dataset, timezone: str) -> dict[str, Any]:
    spec = dataset.spec
    columns = [
        {
            "column_name": name, "verbose_name": column["title"], "type": column.get("type", "String"), "is_active": True,
            "is_dttm": column.get("type") in ("Date", "DateTime"), "groupby": True, "filterable": True,
            "expression": column["sql"].replace("{timezone}", timezone) if "sql" in column else None,
        }
        for name, column in dataset.columns.items()
    ]  # fmt: skip
    metrics = [
        {
            "metric_name": name, "verbose_name": metric["title"], "expression": metric["sql"],
            "d3format": metric.get("format", ",d"), "description": metric.get("description"),
        }
        for name, metric in spec["metrics"].items()
    ]  # fmt: skip
    return _external(
        {
            "table_name": spec["view"], "schema": "gold", "description": spec["description"], "main_dttm_col": spec.get("time"),
            "uuid": id_of("dataset", dataset.name), "database_uuid": id_of("database", DATABASE), "columns": columns,
            "metrics": metrics, "cache_timeout": 300, "filter_select_enabled": True, "offset": 0,
        }
    )  # fmt: skip


def _chart(dashboard: Dashboard, key: str, chart: Mapping[str, Any], dataset: Dataset) -> dict[str, Any]:
    time = dataset.spec.get("time")
    filters = [_time_filter(time)] if time and chart.get("in_time", True) else []
    filters += [_sql_filter(text) for text in chart.get("where", ())]
    params = {
        "viz_type": chart["viz"], "datasource": "0__table", "adhoc_filters": filters, "row_limit": 1000,
        "color_scheme": "supersetColors", **_DEFAULTS.get(chart["viz"], {}), **chart.get("params", {}),
    }  # fmt: skip
    return _external(
        {
            "slice_name": chart["title"], "description": chart.get("description"), "viz_type": chart["viz"], "params": params,
            "uuid": id_of("chart", f"{dashboard.slug}/{key}"), "dataset_uuid": id_of("dataset", dataset.name), "cache_timeout": 300,
        }
    )  # fmt: skip


_LINES = {
    "time_grain_sqla": "P1D", "x_axis_time_format": "%d/%m", "tooltipTimeFormat": "%d/%m/%Y", "rich_tooltip": True,
    "show_legend": True, "legendOrientation": "top", "truncateYAxis": False, "zoomable": False, "groupby": [], "y_axis_title_margin": 15,
    "x_axis_title_margin": 15, "sort_series_type": "sum",
}  # fmt: skip
_DEFAULTS: dict[str, dict[str, Any]] = {
    "big_number_total": {"header_font_size": 0.4, "subheader_font_size": 0.2, "time_format": "%d/%m/%Y"},
    "echarts_timeseries_line": {**_LINES, "markerEnabled": False, "seriesType": "line"},
    "echarts_timeseries_smooth": {**_LINES, "markerEnabled": False},
    "echarts_timeseries_bar": {**_LINES, "orientation": "vertical"},
    "echarts_area": {**_LINES, "stack": "Stack", "opacity": 0.6},
    "pie": {"donut": True, "innerRadius": 45, "outerRadius": 75, "label_type": "percent", "show_legend": True, "legendOrientation": "bottom", "show_labels": True, "labels_outside": True, "number_format": ",d", "sort_by_metric": True},
    "table": {"query_mode": "aggregate", "table_timestamp_format": "%d/%m/%Y", "show_cell_bars": False, "order_desc": True, "page_length": 0, "server_pagination": False},
    "heatmap_v2": {"linear_color_scheme": "superset_seq_1", "normalize_across": "heatmap", "show_legend": True, "show_percentage": False, "show_values": False, "xscale_interval": 1, "yscale_interval": 1, "left_margin": "auto", "bottom_margin": 50},
    "funnel": {"percent_calculation_type": "first_step", "show_legend": False, "show_labels": True, "label_type": 5, "number_format": ",d"},
}  # fmt: skip


# What means the same looks the same on every page, whatever else a chart has.
_COLORS = {
    "negativo": "#c0392b", "neutro": "#a7b1b8", "positivo": "#2e9e6b", "misto": "#e0a100", "1 alto": "#c0392b", "2 médio": "#e0a100",
    "3 baixo": "#2e9e6b", "Custos": "#c0392b", "Benefícios informados": "#2e9e6b", "Economia medida": "#2f80c1",
    "costs_total": "#c0392b", "benefits_total": "#2e9e6b", "savings_total": "#2f80c1",
}  # fmt: skip


def _time_filter(column: str) -> dict[str, Any]:
    return {
        "expressionType": "SIMPLE", "clause": "WHERE", "subject": column, "operator": "TEMPORAL_RANGE", "comparator": "No filter",
    }  # fmt: skip


def _sql_filter(text: str) -> dict[str, Any]:
    return {"expressionType": "SQL", "clause": "WHERE", "sqlExpression": text}


def _dashboard(dashboard: Dashboard, tree: Tree) -> dict[str, Any]:
    spec = dashboard.spec
    filters = [_native_filter(dashboard, number, one, tree) for number, one in enumerate(spec.get("filters", ()))]
    return _external(
        {
            "dashboard_title": spec["title"], "description": spec["description"], "slug": dashboard.slug, "published": False,
            "css": "", "uuid": id_of("dashboard", dashboard.slug), "certified_by": CERTIFIED_BY, "position": dict(_position(dashboard)),
            "metadata": {
                "native_filter_configuration": filters, "color_scheme": "supersetColors", "label_colors": _COLORS, "refresh_frequency": 300,
                "expanded_slices": {}, "timed_refresh_immune_slices": [], "cross_filters_enabled": False, "chart_configuration": {},
                "global_chart_configuration": {"scope": {"rootPath": ["ROOT_ID"], "excluded": []}, "chartsInScope": []},
                "filter_bar_orientation": "HORIZONTAL",
            },
        }
    )  # fmt: skip


def _native_filter(dashboard: Dashboard, number: int, spec: Mapping[str, Any], tree: Tree) -> dict[str, Any]:
    common = {
        "id": f"NATIVE_FILTER-{dashboard.slug}-{number}", "name": spec["title"], "type": "NATIVE_FILTER", "cascadeParentIds": [],
        "scope": {"rootPath": ["ROOT_ID"], "excluded": []}, "description": "",
    }  # fmt: skip
    if "range" in spec:
        value = spec["range"]
        mask = {"extraFormData": {"time_range": value}, "filterState": {"value": value}}
        return {**common, "filterType": "filter_time", "targets": [{}], "defaultDataMask": mask, "controlValues": {"enableEmptyFilter": False}}  # fmt: skip
    target = {"datasetUuid": id_of("dataset", spec["dataset"]), "column": {"name": spec["column"]}}
    controls = {"enableEmptyFilter": False, "multiSelect": True, "defaultToFirstItem": False, "searchAllOptions": False, "inverseSelection": False}  # fmt: skip
    return {**common, "filterType": "filter_select", "targets": [target], "defaultDataMask": {"extraFormData": {}, "filterState": {}}, "controlValues": controls}  # fmt: skip


def _position(dashboard: Dashboard) -> Iterator[tuple[str, Any]]:
    rows = dashboard.spec["rows"]
    row_ids = [f"ROW-{number}" for number in range(len(rows))]
    yield "DASHBOARD_VERSION_KEY", "v2"
    yield "ROOT_ID", {"type": "ROOT", "id": "ROOT_ID", "children": ["GRID_ID"]}
    yield "GRID_ID", {"type": "GRID", "id": "GRID_ID", "children": row_ids, "parents": ["ROOT_ID"]}
    yield "HEADER_ID", {"type": "HEADER", "id": "HEADER_ID", "meta": {"text": dashboard.spec["title"]}}
    for row_id, row in zip(row_ids, rows, strict=True):
        parents, cells = ["ROOT_ID", "GRID_ID", row_id], []
        if sum(cell["width"] for cell in row) > COLUMNS:
            raise Invalid(f"dashboards/{dashboard.slug}.yaml: a row is wider than {COLUMNS} columns")
        for number, cell in enumerate(row):
            cell_id = f"{'CHART' if 'chart' in cell else 'MARKDOWN'}-{row_id}-{number}"
            cells.append(cell_id)
            yield cell_id, {"type": cell_id.split("-", maxsplit=1)[0], "id": cell_id, "children": [], "parents": parents, "meta": _meta(dashboard, cell)}  # fmt: skip
        yield row_id, {"type": "ROW", "id": row_id, "children": cells, "parents": parents[:2], "meta": {"background": "BACKGROUND_TRANSPARENT"}}  # fmt: skip


def _meta(dashboard: Dashboard, cell: Mapping[str, Any]) -> dict[str, Any]:
    size = {"width": cell["width"], "height": cell["height"]}
    if "chart" not in cell:
        return {**size, "code": cell["text"]}
    chart = dashboard.charts[cell["chart"]]
    number = int(id_of("chart", f"{dashboard.slug}/{cell['chart']}")[:7], 16)  # the importer puts its own in its place
    return {**size, "uuid": id_of("chart", f"{dashboard.slug}/{cell['chart']}"), "chartId": number, "sliceName": chart["title"]}  # fmt: skip
