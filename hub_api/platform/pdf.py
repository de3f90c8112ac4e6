"""Documents as PDF: headings, paragraphs, pairs and tables on A4, in the fonts that every reader has.

Those fonts hold Western European letters (Windows-1252); any other sign is written as its Unicode name in brackets, so that
nothing is lost without a trace. Rendering takes about a millisecond a paragraph: do it in a thread.
"""

import io
import unicodedata
from collections.abc import Iterable, Sequence
from xml.sax.saxutils import escape

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

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[str]], *, empty: str) -> None:
        """Rows under their columns, the head repeated on each page; `empty` when there are none."""
        cells = [[Paragraph(printable(cell[:_CELL_LENGTH]), _CELL) for cell in row] for row in rows]
        if not cells:
            self.text(empty)
            return
        head = [Paragraph(printable(column), _HEAD) for column in columns]
        table = Table([head, *cells], colWidths=[_WIDTH / len(columns)] * len(columns), repeatRows=1)
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
    return escape("".join(_sign(sign) for sign in unicodedata.normalize("NFC", text)))


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
