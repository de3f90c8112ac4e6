"""The notebooks run from top to bottom on a small history, with a reader's credential and the lake; none holds outputs."""

import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from assets.warehouse import Warehouse
from tests.lake.conftest import Built
from tests.lake.people import add_people, remove_people
from tests.support.models import trained
from tests.support.warehouse import EmbeddedWarehouse

pytestmark = pytest.mark.timeout(900)  # the history is made and built in the first test's setup


FOLDER = Path(__file__).parents[2] / "notebooks"
# What a notebook says instead of computing something.
TOO_LITTLE = ("poucos clientes, ou iguais", "nenhuma mensagem foi lida")
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


@pytest.fixture(scope="module")
def people(history: Built) -> Iterator[None]:
    """Customers of months, which the history of days has not; the lake is written before they come."""
    history.write()
    warehouse = Warehouse(history.settings)
    add_people(warehouse, date.fromisoformat(history.days[-2]))
    yield
    remove_people(warehouse)
    warehouse.close()


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_each_runs_from_top_to_bottom(
    file: Path, history: Built, people: None, warehouse_server: EmbeddedWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = history.settings.home / "lake"
    monkeypatch.setenv("HUB_MODELS_DIR", str(trained()))
    monkeypatch.setenv("HUB_NOTEBOOK_CLICKHOUSE_URL", warehouse_server.url("reader", "gold"))
    monkeypatch.setenv("HUB_NOTEBOOK_LAKE", str(lake))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(FOLDER), str(FOLDER.parent)]))
    book = nbformat.read(file, as_version=4)
    NotebookClient(book, timeout=240, kernel_name="python3", resources={"metadata": {"path": str(FOLDER)}}).execute()
    printed = [output for cell in book.cells if cell.cell_type == "code" for output in cell.outputs]
    assert printed, "a notebook shows something"
    said = "".join(output.get("text", "") for output in printed)
    assert not [words for words in TOO_LITTLE if words in said], "the sample is large enough for every cell"
