"""Documents as PDF: headings, paragraphs, pairs and tables on A4, in the fonts that every reader has.

Those fonts hold Western European letters (Windows-1252); any other sign is written as its Unicode name in brackets, so that
nothing is lost without a trace. Rendering takes about a millisecond a paragraph: do it in a thread.
"""

import io
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

from reportlab.graphics.charts.barcharts import HorizontalBarChart
from reportlab.graphics.charts.linecharts import HorizontalLineChart
from reportlab.graphics.shapes import Drawing, Rect, String
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle, getSampleStyleSheet
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

_STYLES = getSampleStyleSheet()
_TITLE, _FIRST, _SECOND = _STYLES["Title"], _STYLES["Heading2"], _STYLES["Heading3"]
_BODY = ParagraphStyle("body", parent=_STYLES["BodyText"], fontSize=9, leading=12, spaceBefore=1, spaceAfter=1)
_CELL = ParagraphStyle("cell", parent=_BODY, fontSize=8, leading=10)
_HEAD = ParagraphStyle("head", parent=_CELL, fontName="Helvetica-Bold")
_WIDTH = A4[0] - 36 * mm
# A cell cannot be broken over pages: what is longer is cut in tables, and whole in paragraphs.
_CELL_LENGTH = 1500
# Told apart by people who do not see red or green too (Okabe and Ito, 2008).
_COLOURS = [colors.HexColor(code) for code in ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")]


class Document:
    """Collects parts in their order; `render` makes the file."""

    def __init__(self, title: str, author: str, footer: str) -> None:
        self._title, self._author, self._footer = title, author, footer
        self._parts: list[Flowable] = [Paragraph(printable(title), _TITLE)]

    def heading(self, text: str, level: int = 1) -> None:
        """A heading of the first or second level."""
        self._parts.append(Paragraph(printable(text), _FIRST if level == 1 else _SECOND))

    def text(self, text: str) -> None:
        """A paragraph; line breaks stay."""
        self._parts.append(Paragraph(printable(text).replace("\n", "<br/>"), _BODY))

    def pairs(self, rows: Iterable[tuple[str, str]]) -> None:
        """Names and what they are, one a line."""
        self._parts += [Paragraph(f"<b>{printable(name)}:</b> {printable(value)}", _BODY) for name, value in rows]

    def table(
        self, columns: Sequence[str], rows: Iterable[Sequence[str]], *, empty: str, first_width: float | None = None
    ) -> None:
        """Rows under their columns, the head repeated on each page; `empty` when there are none. The columns are of one
        width, or the first takes `first_width` (a share of the page) and the others the rest."""
        cells = [[Paragraph(printable(cell[:_CELL_LENGTH]), _CELL) for cell in row] for row in rows]
        if not cells:
            self.text(empty)
            return
        head = [Paragraph(printable(column), _HEAD) for column in columns]
        first = 1 / len(columns) if first_width is None else first_width
        widths = [first, *[(1 - first) / (len(columns) - 1)] * (len(columns) - 1)] if len(columns) > 1 else [1.0]
        table = Table([head, *cells], colWidths=[_WIDTH * width for width in widths], repeatRows=1)
        table.setStyle(
            TableStyle(
                [
                    ("GRID", (0, 0), (-1, -1), 0.25, colors.grey),
                    ("BACKGROUND", (0, 0), (-1, 0), colors.whitesmoke),
                    ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ]
            )
        )
        self._parts += [table, Spacer(1, 3 * mm)]

    def lines(
        self, title: str, points: Sequence[str], series: Mapping[str, Sequence[float | None]], *, unit: str
    ) -> None:
        """A chart of one line per series over `points`; a value that is missing leaves a gap."""
        drawing = Drawing(_WIDTH, 62 * mm)
        chart = HorizontalLineChart()
        chart.x, chart.y, chart.width, chart.height = 12 * mm, 12 * mm, _WIDTH - 16 * mm, 38 * mm
        chart.data = [tuple(values) for values in series.values()]
        every = max(1, -(-len(points) // 16))
        chart.categoryAxis.categoryNames = [name if n % every == 0 else "" for n, name in enumerate(points)]
        _plain_axes(chart.categoryAxis, chart.valueAxis)
        for n in range(len(series)):
            chart.lines[n].strokeColor, chart.lines[n].strokeWidth = _COLOURS[n % len(_COLOURS)], 1.4
        drawing.add(chart)
        _caption(drawing, f"{title} ({unit})", list(series) if len(series) > 1 else [])
        self._parts += [drawing, Spacer(1, 3 * mm)]

    def bars(self, title: str, names: Sequence[str], values: Sequence[float], *, unit: str) -> None:
        """A chart of one horizontal bar per name, the first on top."""
        height = (7 * len(names) + 12) * mm
        drawing = Drawing(_WIDTH, height + 8 * mm)
        chart = HorizontalBarChart()
        chart.x, chart.y, chart.width, chart.height = 45 * mm, 8 * mm, _WIDTH - 52 * mm, height - 8 * mm
        chart.data = [tuple(reversed(values))]
        chart.categoryAxis.categoryNames = [printable_sign(name)[:28] for name in reversed(names)]
        _plain_axes(chart.categoryAxis, chart.valueAxis)
        chart.bars[0].fillColor, chart.bars.strokeColor = _COLOURS[0], None
        drawing.add(chart)
        _caption(drawing, f"{title} ({unit})", [])
        self._parts += [drawing, Spacer(1, 3 * mm)]

    def render(self) -> bytes:
        """The file, page numbers and footer included."""
        file = io.BytesIO()
        margin = 18 * mm
        template = SimpleDocTemplate(
            file, pagesize=A4, title=self._title, author=self._author, lang="pt-BR",
            leftMargin=margin, rightMargin=margin, topMargin=margin, bottomMargin=margin,
        )  # fmt: skip

        def footer(canvas: "object", page: "object") -> None:
            canvas.setFont("Helvetica", 7)  # type: ignore[attr-defined]
            line = f"{self._footer} – página {page.page}"  # type: ignore[attr-defined]
            canvas.drawString(margin, 10 * mm, line)  # type: ignore[attr-defined]

        template.build(self._parts, onFirstPage=footer, onLaterPages=footer)
        return file.getvalue()


def printable(text: str) -> str:
    """The text in the letters of the fonts, escaped for a paragraph."""
    return escape(printable_sign(text))


def printable_sign(text: str) -> str:
    """The text in the letters of the fonts, as charts write it."""
    return "".join(_sign(sign) for sign in unicodedata.normalize("NFC", text))


def _plain_axes(categories: Any, values: Any) -> None:
    for axis in (categories, values):
        axis.labels.fontName, axis.labels.fontSize = "Helvetica", 7
        axis.strokeColor = colors.grey
    values.valueMin, values.visibleGrid, values.gridStrokeColor = 0, True, colors.whitesmoke
    values.labelTextFormat = lambda value: f"{value:,.10g}".replace(",", "\xa0").replace(".", ",").replace("\xa0", ".")
    values.forceZero = True


def _caption(drawing: Drawing, title: str, series: Sequence[str]) -> None:
    """The title above a chart, and which colour is which series."""
    top = drawing.height - 4 * mm
    drawing.add(String(0, top, printable_sign(title), fontName="Helvetica-Bold", fontSize=8))
    left = 0.0
    for n, name in enumerate(series):
        drawing.add(Rect(left, top - 5 * mm, 3 * mm, 2 * mm, fillColor=_COLOURS[n % len(_COLOURS)], strokeColor=None))
        drawing.add(String(left + 4 * mm, top - 5 * mm, printable_sign(name), fontName="Helvetica", fontSize=7))
        left += 12 * mm + len(name) * 1.5 * mm


def _sign(sign: str) -> str:
    if sign == "\n":
        return sign
    try:
        sign.encode("cp1252")
    except UnicodeEncodeError:
        # Joiners and variation selectors only say how the sign before them looks.
        return (
            ""
            if unicodedata.category(sign) in ("Cf", "Mn")
            else f"[{unicodedata.name(sign, f'U+{ord(sign):04X}').lower()}]"
        )
    return sign if unicodedata.category(sign) != "Cc" else " "
