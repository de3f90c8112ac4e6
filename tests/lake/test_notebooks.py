"""The notebooks run from top to bottom on a small history, with a reader's credential and the lake; none holds outputs."""

import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.lake.conftest import Built
from tests.support.warehouse import EmbeddedWarehouse

pytestmark = pytest.mark.timeout(900)  # the history is made and built in the first test's setup


FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


def test_each_has_a_number_of_its_own_and_each_is_in_the_readme() -> None:
    numbers = [int(file.name[:2]) for file in NOTEBOOKS]
    assert numbers[0] == 1 and len(set(numbers)) == len(numbers)
    readme = (FOLDER / "README.md").read_text()
    assert [file.name for file in NOTEBOOKS if f"`{file.name}`" not in readme] == []


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_no_notebook_holds_outputs_or_run_numbers(file: Path) -> None:
    book = nbformat.read(file, as_version=4)
    nbformat.validate(book)
    for cell in book.cells:
        if cell.cell_type == "code":
            assert cell.outputs == [] and cell.execution_count is None, f"strip it: cell {cell.id}"


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_each_runs_from_top_to_bottom(
    file: Path, history: Built, lake: Path, warehouse_server: EmbeddedWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUB_NOTEBOOK_CLICKHOUSE_URL", warehouse_server.url("reader", "gold"))
    monkeypatch.setenv("HUB_NOTEBOOK_LAKE", str(lake))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(FOLDER), str(FOLDER.parent)]))
    book = nbformat.read(file, as_version=4)
    NotebookClient(book, timeout=240, kernel_name="python3", resources={"metadata": {"path": str(FOLDER)}}).execute()
    printed = [output for cell in book.cells if cell.cell_type == "code" for output in cell.outputs]
    assert printed, "a notebook shows something"
