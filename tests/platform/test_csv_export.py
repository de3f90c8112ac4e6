"""Exports: no cell runs in a spreadsheet, and what was exported is read back as it was."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub_api.platform.csv_export import as_text, read_csv, stream_csv, write_csv

SIGNS = ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "|", "%"]
texts = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=30)
risky = st.builds(lambda space, sign, rest: space + sign + rest, st.sampled_from(["", " ", "  "]), st.sampled_from(SIGNS), texts)  # fmt: skip


@pytest.mark.parametrize(
    "name",
    ["=HYPERLINK(\"https://evil.example\";\"clique\")", "+1+1", "-2+3", "@SUM(A1)", "\t=1+1", "\r=1", " =1+1", "＝1+1", "=cmd|'/C calc'!A0"],
)  # fmt: skip
def test_a_name_that_is_a_formula_is_a_text(name: str):
    assert as_text(name) == f"'{name}"


def test_numbers_stay_numbers_and_nothing_is_nothing():
    assert [as_text(value) for value in (-5, 3.5, None, True, "Ana", "")] == ["-5", "3.5", "", "true", "Ana", ""]


@given(st.lists(st.tuples(texts | risky, texts | risky), max_size=8), st.sampled_from(";,\t"))
def test_no_cell_begins_as_a_formula_and_the_original_comes_back(rows: list[tuple[str, str]], delimiter: str):
    file = "".join(write_csv(("nome", "=recado"), rows, delimiter=delimiter))
    assert read_csv(file, delimiter=delimiter) == [{"nome": one, "=recado": two} for one, two in rows]
    for row in rows:
        for cell in map(as_text, row):
            assert cell.lstrip()[:1] not in SIGNS and cell[:1] not in SIGNS


@given(st.lists(texts | risky, max_size=5))
async def test_a_stream_is_the_same_file(cells: list[str]):
    async def rows():
        for cell in cells:
            yield (cell,)

    streamed = b"".join([part async for part in stream_csv(("nome",), rows())])
    assert streamed.decode() == "".join(write_csv(("nome",), [(cell,) for cell in cells]))
