"""`kaifeng bills`: 清标 of priced bills of quantities; every finding says where it is."""

import sys
from collections import Counter
from pathlib import Path

import click
import msgspec

from evaluation.bill import Bill, read_bill
from evaluation.clearing import Thresholds, check_bills, corrected
from trading.kernel.errors import InputUnusable, Usage
from trading.kernel.files import read_text
from trading.kernel.money import is_plain


@click.command(
    "bills", help="清标：算术、漏改项、不平衡报价 / arithmetic, changes, unbalanced prices."
)
@click.argument(
    "paths", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@click.option("--reference", type=click.Path(path_type=Path), help="招标清单 / the owner's bill")
@click.option("--thresholds", type=click.Path(path_type=Path), help="阈值 / thresholds, JSON")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON / print JSON")
def command(
    paths: tuple[Path, ...], reference: Path | None, thresholds: Path | None, *, as_json: bool
) -> None:
    with click.progressbar(paths, label="读取 reading", show_pos=True, file=sys.stderr) as bar:
        bills = [read_bill(path) for path in bar]
    if len({bill.bidder for bill in bills}) != len(bills):
        raise InputUnusable(path=paths[0], problem="投标人重复 / a bidder appears twice")
    limits = _thresholds(thresholds) if thresholds else Thresholds()
    _check_applicable(limits, bills, reference)
    findings = check_bills(bills, read_bill(reference) if reference else None, limits)
    totals = {bill.bidder: corrected(bill) for bill in bills}
    if as_json:
        answer = {"findings": findings, "totals": totals}
        click.echo(msgspec.json.format(msgspec.json.encode(answer), indent=1).decode())
        return
    for finding in findings:
        where = f"{finding.section}" + (f" 第 {finding.row} 行" if finding.row else "")
        click.echo(f"{finding.bidder}  {where}  {finding.kind}  {finding.text}")
    for bidder, total in totals.items():
        click.echo(f"{bidder}  总价 {total.stated} → {total.counts}  {total.text}")
    counts = Counter(finding.kind for finding in findings)
    summary = "、".join(f"{kind} {count}" for kind, count in counts.most_common()) or "无 / none"
    click.echo(f"{len(bills)} 份清单，{len(findings)} 处 / findings: {summary}")


def _check_applicable(limits: Thresholds, bills: list[Bill], reference: Path | None) -> None:
    """A basis that is not there would find nothing, and say nothing."""
    bidders = {bill.bidder for bill in bills}
    problems = [
        ("ceiling" in limits.bases and reference is None, "ceiling: --reference"),
        ("named" in limits.bases and limits.named not in bidders, f"named: {limits.named!r}"),
        (not (is_plain(limits.percent) and limits.percent >= 0), "percent"),
        (not (is_plain(limits.amount) and limits.amount >= 0), "amount"),
        (min(limits.drop_high, limits.drop_low) < 0, "drop_high, drop_low"),
    ]
    for holds, problem in problems:
        if holds:
            raise Usage(problem=f"阈值不适用 / this threshold cannot apply: {problem}")


def _thresholds(path: Path) -> Thresholds:
    try:
        return msgspec.json.decode(read_text(path), type=Thresholds, strict=False)
    except msgspec.MsgspecError as error:
        raise InputUnusable(path=path, problem=error) from error
