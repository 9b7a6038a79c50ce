"""`kaifeng replay FILE...`: real tenders through the real path, beside what the record says."""

import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from trading.kernel.calendar import Pace
from trading.kernel.errors import FileUnreadable, RecordUnreadable
from trading.tender import Phase, Tender
from web.cases import Bid, Case, LotCase, read_cases
from web.centre import Centre, settings_here, wait_until
from web.play import EARLY, Play, deadline_after, first_ranks

_BATCH = 32
_PER_BID = timedelta(milliseconds=15)
_SLACK = timedelta(seconds=1)
_STEPS = 8
_SHORTEST_DAY = 200  # ms
_WIDE = 180


class Row(msgspec.Struct, frozen=True):
    """One line of the result."""

    tender: str
    bids: int
    opened: int
    recorded_winner: str | None
    first_rank: str | None
    agree: bool
    reason: str

    @property
    def comparable(self) -> bool:
        """The record names a winner and we have a first rank."""
        return self.recorded_winner is not None and self.first_rank is not None


@click.command(
    "replay", help="重演真实项目：OCDS 数据或报价表 / replay real tenders from open data."
)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="导出到此目录 / write the export here")
@click.option("--json", "as_json", is_flag=True, help="以 JSON 打印结果 / print the result as JSON")
def command(files: tuple[Path, ...], out: Path | None, as_json: bool) -> None:  # noqa: FBT001  a flag
    if out and out.exists() and any(out.iterdir()):
        raise FileUnreadable(path=out, problem="目录非空 / the folder is not empty")
    console = Console(stderr=True)
    cases, unreadable = _read(files, console)
    rows = _replay(cases, out, console) if cases else []
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(rows), indent=2).decode())
    else:
        _print(rows)
    sys.exit(2 if unreadable else 0)


def _read(files: Iterable[Path], console: Console) -> tuple[list[Case], int]:
    """The cases of all files; a file that cannot be read is named and the others go on."""
    cases: list[Case] = []
    unreadable = 0
    for file in files:
        try:
            reading = read_cases(file)
        except RecordUnreadable as refusal:
            unreadable += 1
            console.print(f"✗ {refusal}", markup=False, style="red")
            continue
        cases += reading.cases
        found = f"{len(reading.cases)} 个有投标的项目 / with bids, {reading.without_bids} without"
        console.print(f"  {file.name}: {found}", markup=False, highlight=False)
        for case in reading.cases:
            for fault in case.faults:
                console.print(f"  ! {case.name}: {fault}", markup=False, style="yellow")
    return cases, unreadable


def _replay(cases: list[Case], out: Path | None, console: Console) -> list[Row]:
    bar = Progress(
        TextColumn("{task.description:<24}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
    )
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="kaifeng-") as folder, bar:
        task = bar.add_task("", total=len(cases) * _STEPS)
        with Centre(Path(folder), settings_here()) as centre:
            for batch in _batches([case for case in cases if case.bids]):
                for step in _run(centre, batch, rows):
                    bar.update(task, description=step, advance=len(batch))
            if out:
                bar.update(task, description="导出 export")
                centre.export(out)
        rows += [_empty(case) for case in cases if not case.bids]
        bar.update(task, completed=len(cases) * _STEPS)
    return rows


def _batches(cases: list[Case]) -> Iterator[list[Case]]:
    for start in range(0, len(cases), _BATCH):
        yield cases[start : start + _BATCH]


def _run(centre: Centre, cases: list[Case], rows: list[Row]) -> Iterator[str]:
    """Tenders of a batch share one deadline; yields the name of each step before it is done."""
    needed = sum(len(case.bids) for case in cases) * _PER_BID + len(cases) * _PER_BID
    pace = Pace(max(_SHORTEST_DAY, int(needed / timedelta(milliseconds=20))))
    plays = [Play(centre, case, pace) for case in cases]
    yield "拟制 draft"
    for play in plays:
        play.draft()
    yield "密钥仪式 ceremony"
    for play in plays:
        play.form()
    yield "发布 publish"
    deadline = deadline_after(centre.clock.read().at, pace, _SLACK)
    for play in plays:
        play.publish(deadline)
    yield "密封投标 seal"
    for play in plays:
        play.hand_in()
    yield "截标 close"
    wait_until(centre, deadline - EARLY)
    centre.office.publisher.publish()
    wait_until(centre, deadline)
    for play in plays:
        play.close()
    yield "开标 open"
    for play in plays:
        if play.is_alive:
            play.open()
            play.rank()
            ranked = play.state
            if ranked.phase is Phase.RECOMMENDED and ranked.procedure.publicity is None:
                _award([play])  # the law gives the choice of a supplier five working days
    yield "公示定标 award"
    _award([play for play in plays if play.state.phase is Phase.RECOMMENDED])
    yield "核对 compare"
    rows += [_row(play.case, play.state) for play in plays]


def _award(plays: list[Play]) -> None:
    for play in plays:
        play.publish_candidates()
    for play in plays:
        publicity = play.state.publicity
        if publicity:
            wait_until(play.centre, publicity.until)
        play.award()
        play.contract()


def _row(case: Case, state: Tender) -> Row:
    reasons, firsts = [], []
    names = {item.lot: item for item in first_ranks(state)}
    for number, lot in enumerate(case.lots, 1):
        first = names.get(number)
        firsts.append(first.bidder_name if first else None)
        reason = _reason(case, lot, first.bidder_id if first else "", state)
        if reason:
            reasons.append(f"{lot.title}: {reason}" if len(case.lots) > 1 else reason)
    return Row(
        tender=case.name,
        bids=len(case.bids),
        opened=len(state.opened),
        recorded_winner=_joined([lot.winner_name or None for lot in case.lots]),
        first_rank=_joined(firsts),
        agree=not reasons,
        reason="; ".join([*reasons, *case.faults]),
    )


def _empty(case: Case) -> Row:
    reason = "; ".join(case.faults) or "没有可读的投标 / no readable bid"
    return Row(case.name, 0, 0, None, None, agree=False, reason=reason)


def _joined(names: list[str | None]) -> str | None:
    return "; ".join(name or "—" for name in names) if any(names) else None


def _reason(case: Case, lot: LotCase, first: str, state: Tender) -> str:
    """Why our first rank is not the recorded winner; empty if it is."""
    bids = [bid for bid in case.bids if bid.lot == lot.key]
    ours = [bid for bid in bids if bid.bidder_id == first]
    if first and first == lot.winner:
        return ""
    if state.ending or not ours:
        return _no_rank(state, bids)
    if not lot.winner:
        return f"记录没有中标人 / the record names no winner ({case.status or '?'})"
    if any(bid.disqualified for bid in ours):
        return "记录中最低价投标被否决 / lowest bid disqualified in the record"
    winners = [bid for bid in bids if bid.bidder_id == lot.winner]
    if not winners:
        return "中标人不在投标人之列 / the recorded winner is not among the bidders"
    return _price_reason(winners, ours)


def _no_rank(state: Tender, bids: list[Bid]) -> str:
    if all(bid.price is None for bid in bids):
        return "记录中没有报价 / the record has no price"
    rejected = state.recommended.rejections if state.recommended else ()
    grounds = sorted({f"{item.ground}（{item.article}）" for item in rejected})
    ending = [str(getattr(state.ending, "ground", ""))] if state.ending else []
    return "; ".join([*grounds, *ending]) or "没有排名 / no rank"


def _price_reason(winners: list[Bid], ours: list[Bid]) -> str:
    won = min((bid.price for bid in winners if bid.price), default=None)
    low = min((bid.price for bid in ours if bid.price), default=None)
    if won is not None and won == low:
        return "同价，先到者在前 / equal prices, the earlier bid ranks first"
    return "记录的中标人不是最低价 / the recorded winner was not the lowest"


def _print(rows: list[Row]) -> None:
    table = Table(title="重演结果 / replay")
    for heading in (
        "项目 tender",
        "投标 bids",
        "开启 opened",
        "记录中标人 recorded",
        "本系统第一 first",
        "一致 agree",
        "原因 why not",
    ):
        table.add_column(heading, overflow="fold")
    for row in rows:
        values: list[Any] = [row.tender, row.bids, row.opened, row.recorded_winner, row.first_rank]
        agree = "✓" if row.agree else "✗" if row.comparable else "—"
        cells = ["—" if value is None else str(value) for value in (*values, agree, row.reason)]
        table.add_row(*map(plain, cells))
    wide = None if sys.stdout.isatty() or "COLUMNS" in os.environ else _WIDE
    Console(width=wide).print(table)
    agreed, comparable = sum(row.agree for row in rows), sum(row.comparable for row in rows)
    opened, bids = sum(row.opened for row in rows), sum(row.bids for row in rows)
    click.echo(
        f"{len(rows)} 个项目 tenders, {opened}/{bids} 开启 opened, "
        f"可比的 {comparable} 个中 {agreed} 个一致 / {agreed} of {comparable} comparable agree"
    )


def plain(text: str) -> Text:
    """Names out of records are text: no markup, no control characters."""
    return Text("".join(char for char in text if char.isprintable()))
