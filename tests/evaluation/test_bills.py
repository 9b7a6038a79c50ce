"""清标: arithmetic, changes against the owner's list, prices out of balance, and corrections."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
import xlsxwriter
from commands import kaifeng
from hypothesis import given
from hypothesis import strategies as st

from evaluation.bill import Bill, BillLine, Section, read_bill
from evaluation.clearing import Thresholds, check_bills, corrected
from trading.kernel.errors import AmountUnreadable, InputUnusable
from trading.kernel.money import Money

PLAIN = (("010101", "挖土方", "m3", "100", "12.50"), ("010102", "回填", "m3", "40", "8.00"))


def a_line(code: str, name: str, unit: str, quantity: str, price: str) -> BillLine:
    amount = Decimal(quantity) * Decimal(price)
    return BillLine(code, name, unit, Decimal(quantity), Decimal(price), amount, 2)


def a_bill(bidder: str = "甲", *, words: str = "", **changed: Any) -> Bill:
    """`changed`: fields of the first line."""
    first, *others = (a_line(*line) for line in PLAIN)
    lines = (msgspec.structs.replace(first, **changed), *others)
    return Bill(bidder, (Section("分部分项", lines, Decimal("1570.00"), 9),), Decimal(1570), words)


def kinds(*bills: Bill, **given: Any) -> list[str]:
    return [finding.kind for finding in check_bills(bills, **given)]


def test_a_bill_that_adds_up_has_no_findings() -> None:
    assert kinds(a_bill(words="壹仟伍佰柒拾元整"), reference=a_bill("业主")) == []


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({"amount": Decimal(1251)}, ["product", "sum"]),
        ({"price": Decimal(0), "amount": Decimal(0)}, ["zero-price", "sum"]),
        ({"price": Decimal("-12.5")}, ["product", "negative-price"]),
        ({"quantity": Decimal(0)}, ["product", "zero-quantity"]),
        ({"parts": {"人工": Decimal(5), "材料": Decimal("7.5")}}, []),
        ({"parts": {"人工": Decimal(5), "材料": Decimal(7)}}, ["parts"]),
        ({"price": Decimal("12.504"), "amount": Decimal("1250.40")}, ["sum"]),
        ({"price": Decimal("12.49996"), "amount": Decimal("1250.00")}, []),
    ],
)
def test_arithmetic(changed: dict[str, Any], found: list[str]) -> None:
    assert kinds(a_bill(**changed)) == found


@pytest.mark.parametrize(
    ("total", "words", "found"),
    [
        ("1571", "", ["total"]),
        ("1570", "壹仟伍佰柒拾壹元整", ["words"]),
        ("1570", "壹千五百七十元", ["words"]),
    ],
)
def test_totals_and_words(total: str, words: str, found: list[str]) -> None:
    bill = msgspec.structs.replace(a_bill(words=words), total=Decimal(total))
    assert kinds(bill) == found


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({"name": "挖石方"}, ["changed-name"]),
        ({"unit": "t"}, ["changed-unit"]),
        ({"quantity": Decimal(50), "price": Decimal(25)}, ["changed-quantity"]),
        ({"code": "010109"}, ["missing", "extra"]),
    ],
)
def test_the_owners_list_is_not_changed(changed: dict[str, Any], found: list[str]) -> None:
    assert kinds(a_bill(**changed), reference=a_bill("业主")) == found


def prices(*found: str, quantity: str = "1000") -> list[Bill]:
    return [
        Bill(f"b{n}", (Section("表", (a_line("1", "x", "m", quantity, price),)),))
        for n, price in enumerate(found)
    ]


@pytest.mark.parametrize(
    ("basis", "found"),
    [
        ("mean", ["b0", "b4"]),  # of 100, 102 and 104, without 50 and 200: 102
        ("lowest", ["b1", "b2", "b3", "b4"]),
        ("second-lowest", ["b0", "b4"]),
    ],
)
def test_unbalanced_prices(basis: str, found: list[str]) -> None:
    bills = prices("50", "100", "102", "104", "200")
    findings = check_bills(bills, thresholds=Thresholds(bases=(basis,)))  # type: ignore[arg-type]
    assert [finding.bidder for finding in findings] == found
    assert {finding.kind for finding in findings} == {f"unbalanced-{basis}"}


def test_small_amounts_do_not_matter_and_ten_percent_is_not_over_ten() -> None:
    lowest = Thresholds(bases=("lowest",))
    assert kinds(*prices("100", "200", quantity="10"), thresholds=lowest) == []
    assert kinds(*prices("100", "200", quantity="10.01"), thresholds=lowest) != []
    assert kinds(*prices("100", "110"), thresholds=lowest) == []
    assert kinds(*prices("100", "110.01"), thresholds=lowest) != []


def test_against_the_ceiling_and_against_one_bid() -> None:
    bills = prices("100", "130")
    ceiling = check_bills(bills, prices("120")[0], Thresholds(bases=("ceiling",)))
    assert [f.bidder for f in ceiling if f.kind == "unbalanced-ceiling"] == ["b0"]
    named = check_bills(bills, thresholds=Thresholds(bases=("named",), named="b1"))
    assert [f.bidder for f in named] == ["b0"]


@pytest.mark.parametrize(
    ("changed", "words", "counts"),
    [
        ({}, "", "1570.00"),
        ({"amount": Decimal(9999)}, "", "1570.00"),  # the unit price stands
        ({"price": Decimal(13)}, "", "1620.00"),
        ({}, "壹仟伍佰元整", "1500"),  # words stand against figures
    ],
)
def test_corrections(changed: dict[str, Any], words: str, counts: str) -> None:
    assert corrected(a_bill(words=words, **changed)).counts == Decimal(counts)


def write_xlsx(path: Path, bill: Bill) -> Path:
    with xlsxwriter.Workbook(str(path)) as workbook:
        for section in bill.sections:
            sheet = workbook.add_worksheet(section.name)
            sheet.write_row(0, 0, ["工程量清单计价表"])
            header = ["序号", "项目编码", "项目名称", "计量单位", "工程量", "综合单价", "合价"]
            sheet.write_row(1, 0, header)
            for n, line in enumerate(section.lines):
                figures = [float(line.quantity), float(line.price), float(line.amount)]
                sheet.write_row(n + 2, 0, [n + 1, line.code, line.name, line.unit, *figures])
            sheet.write_row(len(section.lines) + 2, 0, ["合计", "", "", "", "", "", "1,570.00"])
        summary = workbook.add_worksheet("投标总价汇总")
        summary.write_row(0, 0, ["投标总价（小写）", 1570])
        summary.write_row(1, 0, ["投标总价（大写）", "壹仟伍佰柒拾元整"])
    return path


def test_a_workbook_is_read_with_its_rows(tmp_path: Path) -> None:
    bill = read_bill(write_xlsx(tmp_path / "甲.xlsx", a_bill()))
    assert (bill.bidder, bill.total, bill.words) == ("甲", Decimal(1570), "壹仟伍佰柒拾元整")
    (section,) = bill.sections
    assert [(line.code, line.row) for line in section.lines] == [("010101", 3), ("010102", 4)]
    assert (section.total, section.row) == (Decimal("1570.00"), 5)
    assert section.lines[0].price == Decimal("12.5")
    assert kinds(bill) == []


@pytest.mark.parametrize("text", ["", "{", '{"bidder": "x"}', '{"bidder":"x","sections":[{}]}'])
def test_what_is_no_bill_is_refused(tmp_path: Path, text: str) -> None:
    for name in ("x.json", "x.xlsx"):
        (tmp_path / name).write_text(text)
        with pytest.raises(InputUnusable):
            read_bill(tmp_path / name)
    with pytest.raises(InputUnusable):
        read_bill(tmp_path / "absent.json")


def test_a_cell_that_is_no_number_is_named(tmp_path: Path) -> None:
    bill = a_bill()
    path = write_xlsx(tmp_path / "a.xlsx", bill)
    with xlsxwriter.Workbook(str(path)) as workbook:
        sheet = workbook.add_worksheet("表")
        sheet.write_row(0, 0, ["编码", "数量", "单价", "合价"])
        sheet.write_row(1, 0, ["1", "十", 1, 1])
    with pytest.raises(InputUnusable, match="第 2 行"):
        read_bill(path)


def test_the_command_finds_and_locates(tmp_path: Path) -> None:
    bad = write_xlsx(tmp_path / "乙.xlsx", a_bill(amount=Decimal(1251)))
    good = write_xlsx(tmp_path / "甲.xlsx", a_bill())
    shown = kaifeng("bills", bad, good, "--reference", good)
    assert shown.returncode == 0, shown.stderr
    assert "乙  分部分项 第 3 行  product" in shown.stdout
    answer = json.loads(kaifeng("bills", bad, "--json").stdout)
    assert [finding["kind"] for finding in answer["findings"]] == ["product", "sum"]
    assert kaifeng("bills", bad, bad).returncode == 2


@given(st.integers(0, 10**17))
def test_capital_numerals_are_read_back(fen: int) -> None:
    assert Money.of_capital(Money(fen).capital()) == Money(fen)


@pytest.mark.parametrize(
    "text", ["", "元", "整", "abc", "壹贰元整", "壹角壹角", "壹元壹", "壹万万元整", "1元"]
)
def test_what_is_no_capital_numeral(text: str) -> None:
    with pytest.raises(AmountUnreadable):
        Money.of_capital(text)
