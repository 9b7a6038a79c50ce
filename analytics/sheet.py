"""导出 tables as CSV and xlsx in which no cell is ever run: a spreadsheet takes a text that begins
like a formula for one, and a bidder may call itself `=HYPERLINK(…)`.
"""

import csv
import io
from collections.abc import Sequence

import xlsxwriter

__all__ = ["Cell", "as_csv", "as_xlsx"]

Cell = str | int | float | None
_RUNS = ("=", "+", "-", "@", "\t", "\r", "\n", *"\uff1d\uff0b\uff0d\uff20")  # and their full widths
_LONGEST = 32_767  # characters of an xlsx cell
_WIDTH = 18


def as_csv(header: Sequence[str], rows: Sequence[Sequence[Cell]]) -> bytes:
    """UTF-8 with a mark, as Excel in China wants it; a text that would run starts with an
    apostrophe.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([_quiet(cell) for cell in header])
    writer.writerows([[_quiet(cell) for cell in row] for row in rows])
    return out.getvalue().encode("utf-8-sig")


def _quiet(cell: Cell) -> Cell:
    runs = isinstance(cell, str) and cell.strip(" \u00a0\u3000").startswith(_RUNS)
    return f"'{cell}" if runs else cell


def as_xlsx(title: str, header: Sequence[str], rows: Sequence[Sequence[Cell]]) -> bytes:
    """Texts are written as texts, whatever they begin with; the first row stays in sight."""
    out = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(out, options) as book:
        sheet, bold = book.add_worksheet(title), book.add_format({"bold": True})
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, max(len(header) - 1, 0), _WIDTH)
        for column, name in enumerate(header):
            sheet.write_string(0, column, name, bold)
        for number, row in enumerate(rows, 1):
            for column, cell in enumerate(row):
                if isinstance(cell, str):
                    sheet.write_string(number, column, cell[:_LONGEST])
                elif cell is not None:
                    sheet.write_number(number, column, cell)
    return out.getvalue()
