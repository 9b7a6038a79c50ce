"""工程量清单 bills of quantities as bidders price them: read from xlsx or from our own JSON.

A figure is a decimal exactly as written; where it stands (sheet and row) goes along with it.
"""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
from python_calamine import CalamineError, CalamineWorkbook

from trading.kernel.errors import InputUnusable
from trading.kernel.money import plain_decimal

__all__ = ["Bill", "BillLine", "Section", "read_bill"]

_HEADERS = {
    "code": ("项目编码", "编码", "code"),
    "name": ("项目名称", "名称", "name"),
    "unit": ("计量单位", "单位", "unit"),
    "quantity": ("工程量", "数量", "quantity"),
    "price": ("综合单价", "单价", "price"),
    "amount": ("合价", "金额", "amount"),
}
_NEEDED = ("code", "quantity", "price", "amount")
_TOTALS = ("合计", "小计", "总计", "total")
_SUMMARY = ("汇总", "总价", "summary")


class BillLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One item; `parts`: what the unit price is made of (人工、材料、机械、管理费、利润)."""

    code: str
    name: str
    unit: str
    quantity: Decimal
    price: Decimal
    amount: Decimal
    row: int = 0
    parts: dict[str, Decimal] = {}


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One table: 分部分项、措施项目、其他项目、规费税金; `total` as stated, None if it is not."""

    name: str
    lines: tuple[BillLine, ...]
    total: Decimal | None = None
    row: int = 0


class Bill(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`total` and `words` (大写): what the bidder states for the whole."""

    bidder: str
    sections: tuple[Section, ...]
    total: Decimal | None = None
    words: str = ""


def read_bill(path: Path, bidder: str = "") -> Bill:
    """InputUnusable, with sheet and row, for a file that is neither, or that holds no items."""
    is_json = path.suffix.lower() == ".json"
    bill = _read_json(path) if is_json else _Workbook(path).read(bidder or path.stem)
    if not any(section.lines for section in bill.sections):
        raise InputUnusable(path=path, problem="没有清单项 / no items")
    return bill


def _read_json(path: Path) -> Bill:
    try:
        bill = msgspec.json.decode(path.read_bytes(), type=Bill, strict=False)
    except (msgspec.MsgspecError, OSError, RecursionError, UnicodeError) as error:
        raise InputUnusable(path=path, problem=error) from error
    for section in bill.sections:
        for line in section.lines:
            figures = (line.quantity, line.price, line.amount, *line.parts.values())
            _check_figures(path, f"{section.name} {line.code}", figures)
        _check_figures(path, section.name, [section.total or Decimal(0)])
    _check_figures(path, bill.bidder, [bill.total or Decimal(0)])
    return bill


def _check_figures(path: Path, where: str, figures: Iterable[Decimal]) -> None:
    if any(plain_decimal(str(figure)) is None for figure in figures):
        raise InputUnusable(path=path, problem=f"{where}：不是数 / no number")


class _Workbook:
    """Each sheet with the headers is a section; one called 汇总 states the total."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self, bidder: str) -> Bill:
        sections, total, words = [], None, ""
        for name, rows in self._sheets():
            if any(word in name for word in _SUMMARY):
                total, words = self._summary(name, rows)
                continue
            section = self._section(name, rows)
            if section:
                sections.append(section)
        if not sections:
            problem = (
                f"没有清单表头 / no sheet with {'、'.join(_HEADERS[key][0] for key in _NEEDED)}"
            )
            raise InputUnusable(path=self._path, problem=problem)
        return Bill(bidder, tuple(sections), total, words)

    def _sheets(self) -> Iterator[tuple[str, list[list[Any]]]]:
        try:
            workbook = CalamineWorkbook.from_path(str(self._path))
            for name in workbook.sheet_names:
                sheet = workbook.get_sheet_by_name(name)
                yield name, sheet.to_python(skip_empty_area=False)
        except (CalamineError, OSError, ValueError) as error:
            raise InputUnusable(path=self._path, problem=error) from error

    def _section(self, name: str, rows: Sequence[Sequence[Any]]) -> Section | None:
        found = next(((n, c) for n, row in enumerate(rows) if (c := _columns(row))), None)
        if found is None:
            return None
        header, columns = found
        lines: list[BillLine] = []
        total, total_row = None, 0
        for number, row in enumerate(rows[header + 1 :], header + 2):
            if any(str(cell).strip().lower() in _TOTALS for cell in row[:3]):
                total, total_row = self._number(name, number, row[columns["amount"]]), number
            elif str(row[columns["code"]]).strip():
                lines.append(self._line(name, number, row, columns))
        return Section(name.strip(), tuple(lines), total, total_row)

    def _line(
        self, name: str, number: int, row: Sequence[Any], columns: dict[str, int]
    ) -> BillLine:
        figures = (self._number(name, number, row[columns[key]]) for key in _NEEDED[1:])
        quantity, price, amount = figures
        text = {key: _text(row[columns[key]]) if key in columns else "" for key in _TEXT}
        return BillLine(text["code"], text["name"], text["unit"], quantity, price, amount, number)

    def _number(self, name: str, number: int, cell: object) -> Decimal:
        """An empty cell is nothing; a float means the shortest decimal that it prints as."""
        text = str(cell).strip().replace(",", "")
        value = plain_decimal(text) if text else Decimal(0)
        if value is None:
            problem = f"{name} 第 {number} 行 / row {number}: {text[:40]}"
            raise InputUnusable(path=self._path, problem=problem)
        return value

    def _summary(self, name: str, rows: Sequence[Sequence[Any]]) -> tuple[Decimal | None, str]:
        """The last number, and the text after 大写."""
        total, words = None, ""
        for number, row in enumerate(rows, 1):
            cells = [str(cell).strip() for cell in row]
            for place, cell in enumerate(cells):
                if "大写" in cell:
                    words = next((text for text in cells[place + 1 :] if text), words)
                elif cell and cell.replace(",", "").replace(".", "", 1).isdecimal():
                    total = self._number(name, number, cell)
        return total, words


_TEXT = ("code", "name", "unit")


def _text(cell: object) -> str:
    """A code that the sheet keeps as a number has no point."""
    return str(cell).strip().removesuffix(".0")


def _columns(row: Sequence[Any]) -> dict[str, int] | None:
    """Which column holds what, if the row is a header."""
    cells = [str(cell).strip().replace("\n", "").lower() for cell in row]
    columns = {}
    for key, words in _HEADERS.items():
        place = next((n for n, cell in enumerate(cells) if cell.startswith(words)), None)
        if place is not None:
            columns[key] = place
    return columns if all(key in columns for key in _NEEDED) else None
