"""`kaifeng demo --once`: one real tender from notice to contract, in front of the reader.

Killed at any moment, it goes on where the ledger says it stopped.
"""

import shutil
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import click
import msgspec

from trading.envelope.layout import PREFIX, Stage
from trading.kernel.calendar import BEIJING, Pace
from trading.kernel.errors import (
    EnvelopeRefusal,
    InputUnusable,
    TooLate,
    TrusteeRefuses,
    Usage,
)
from trading.kernel.files import durable_write
from trading.tender import Phase, Tender
from web.cases import Case, read_cases
from web.centre import THRESHOLD, Centre, settings_here, wait_until
from web.play import EARLY, Play, amount, deadline_after, first_ranks

_SLACK = timedelta(seconds=2)
_STATE = "demo.json"
_OWN_FILES = (
    *("centre", "bidders", "export", "invitation.tlog-proof", _STATE),
    *("parties", "logs", "witnesses.txt", "trustees.txt"),
)


class _Kept(msgspec.Struct):
    """What the demo itself must remember: which tender it plays, and whether it ended."""

    tender: str
    done: bool = False


@click.command("demo", help="一个真实项目从公告到合同 / one real tender, start to end.")
@click.option("--once", is_flag=True, help="演到结束 / play it to the end")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("kaifeng-demo"),
    show_default=True,
    help="演示目录 / folder of the demo",
)
@click.option(
    "--day",
    type=click.IntRange(1, 86_400_000),
    default=250,
    show_default=True,
    help="--once：演练中一日的毫秒数 / ms of a day",
)
@click.option(
    "--seconds",
    type=click.IntRange(12, 86_400),
    default=600,
    show_default=True,
    help="到截标的秒数 / seconds until the deadline",
)
@click.option("--port", type=click.IntRange(0, 65_535), default=8470, show_default=True)
def command(once: bool, out: Path, day: int, seconds: int, port: int) -> None:  # noqa: FBT001
    """Live on a server until interrupted; or `--once` to the end, going on where it was killed."""
    if not once:
        _live(out, seconds, port)
        return
    _prepare(out)
    case = read_cases(real_tenders()).cases[0]
    with Centre(out, settings_here(), said=_said) as centre:
        Demo(centre, case, out, Pace(day)).run()


def _live(out: Path, seconds: int, port: int) -> None:
    from web.rehearsal import Rehearsal
    from web.stage import LiveTender

    _prepare(out)
    durable_write(out / _STATE, [msgspec.json.encode(_Kept("live", done=True))])
    case = read_cases(real_tenders()).cases[0]
    with Rehearsal(out, port=port, said=_said) as rehearsal:
        live = LiveTender(rehearsal, case, seconds, _tell)
        live.publish()
        live.hand_in()
        words = {"out": out, "kaifeng": _program(), "url": rehearsal.url, "tender": live.tender}
        click.echo(_LIVE.format(**words))
        sys.stdout.flush()
        try:
            live.watch()
        except KeyboardInterrupt:
            click.echo("\n演示结束，各程序正在退出 / ending; every program is being stopped")


def _tell(zh: str, en: str) -> None:
    click.echo(f"✓ {zh}\n      {click.style(en, dim=True)}")
    sys.stdout.flush()


def _prepare(out: Path) -> None:
    """A finished demo is played anew; a folder with anything else in it is left alone."""
    if not (out / _STATE).exists():
        if out.exists() and any(out.iterdir()):
            raise Usage(problem=f"{out}: 目录非空且不是演示 / not empty, and no demo")
        return
    if _kept(out).done:
        for name in (
            *_OWN_FILES,
            *(
                path.name
                for path in out.glob("*-*")
                if path.name.startswith(("witness-", "trustee-"))
            ),
        ):
            path = out / name
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def real_tenders() -> Path:
    """The restated facts: below docs/ in the checkout, beside this package in a wheel."""
    here = Path(__file__).parent.parent
    packed = here / "data" / "real-tenders.json"
    return packed if packed.exists() else here.parent / "docs" / "data" / "real-tenders.json"


class Demo:
    def __init__(self, centre: Centre, case: Case, out: Path, pace: Pace) -> None:
        self._centre, self._case, self._out, self._pace = centre, case, out, pace
        kept = _kept(out).tender if (out / _STATE).exists() else centre.ids.mint()
        durable_write(out / _STATE, [msgspec.json.encode(_Kept(kept))])
        self._play = Play(centre, case, pace, kept)
        self._number = 0

    def run(self) -> None:
        steps: list[tuple[Phase | None, Callable[[], None]]] = [
            (None, self._draft),
            (Phase.DRAFT, self._form),
            (Phase.DRAFT, self._publish),
            (Phase.BIDDING, self._seal),
            (Phase.BIDDING, self._try_early),
            (Phase.BIDDING, self._try_altered),
            (Phase.BIDDING, self._close),
            (Phase.SEALED, self._try_late),
            (Phase.SEALED, self._open),
            (Phase.OPENED, self._rank),
            (Phase.RECOMMENDED, self._publicity),
            (Phase.PUBLICITY, self._award),
            (Phase.NOTICED, self._contract),
        ]
        for phase, step in steps:
            if phase is None or self._play.state.phase is phase:
                step()
        self._finish()

    # -- the steps ----------------------------------------------------------------------------

    def _draft(self) -> None:
        known = self._centre.ledger.stream(f"tender:{self._play.tender}")
        state = self._play.state if known else self._play.draft()
        draft = state.drafted
        self._say(f"项目 {draft.title}", f"a real tender of {draft.buyer}: {draft.number}")

    def _form(self) -> None:
        if Stage.PRICE not in self._play.state.seats:
            self._play.form()
        kid = self._play.state.seats[Stage.PRICE].kid.hex()[:16]
        self._say(
            f"五位受托人共同生成开标公钥 {kid}…，三人可开，任何人不持有整把密钥",
            f"all trustees made the key together, any {THRESHOLD} can open; nobody holds it",
        )

    def _publish(self) -> None:
        now = self._centre.clock.read().at
        state = self._play.publish(deadline_after(now, self._pace, _SLACK))
        invitation = self._centre.bidder.invitation(self._play.tender, Stage.PRICE)
        durable_write(self._out / "invitation.tlog-proof", [invitation.encode()])
        self._say(
            f"公告发布，截标 {_clock(state.deadline)}（演练：一日 = {self._pace.millis} 毫秒）",
            "published; the twenty days of the law are kept at rehearsal pace",
        )

    def _seal(self) -> None:
        handed_in = len(self._play.state.received)
        for number, bid in enumerate(self._case.bids[handed_in:], handed_in + 1):
            sealed = self._play.seal(bid)
            try:
                taken = self._centre.bidder.hand_in(self._play.tender, [sealed])
            except TooLate as late:  # the demo was killed and went on after the deadline
                self._say(f"投标 {number}：{late.text('zh')}", late.text("en"), "✋")
                return
            folder = self._out / "bidders" / str(number)
            durable_write(folder / "bid.kfe", [sealed])
            durable_write(folder / "bid.tlog-proof", [self._centre.bidder.receipt(taken).encode()])
            self._say(
                f"投标 {number}：{len(sealed):,} 字节密封信封，记录 {taken.index}，回执已交",
                f"bid {number} sealed by the bidder, entry {taken.index}, receipt handed over",
            )

    def _try_early(self) -> None:
        try:
            self._centre.ceremony.ask_share(
                self._play.tender, Stage.PRICE, self._centre.trustees[0]
            )
        except TrusteeRefuses as refusal:
            self._say(
                f"中心想提前开标，受托人拒绝 → {refusal.facts['problem']}",
                "the centre tries to open early: the trustees refuse",
                "✋",
            )

    def _try_altered(self) -> None:
        path = self._out / "bidders" / "1" / "bid.kfe"
        if not path.exists():
            return
        altered = bytearray(path.read_bytes())
        altered[PREFIX // 2] ^= 1
        try:
            self._centre.bidder.hand_in(self._play.tender, [bytes(altered)])
        except (EnvelopeRefusal, TooLate) as refusal:
            self._say(
                f"改动一个比特的信封 → {refusal.code} {refusal.text('zh')}",
                f"one flipped bit: {refusal.text('en')}",
                "✋",
            )

    def _close(self) -> None:
        deadline = self._play.state.deadline or self._centre.clock.read().at
        if self._centre.clock.read().is_surely_before(deadline - EARLY):
            wait_until(self._centre, deadline - EARLY)
            self._centre.office.publisher.publish()
        wait_until(self._centre, deadline)
        state = self._play.close()
        before, closing = self._centre.office.publisher.around(deadline, state.bidding_size)
        times = " < ".join(_clock(w.median) for w in (before, closing) if w)
        self._say(
            f"截标：两个见证检查点夹住截止时间（{times}），{len(state.final(Stage.PRICE))} 份投标",
            "closed between two witness-dated checkpoints; what the second holds is in time",
        )

    def _try_late(self) -> None:
        late = self._play.seal(self._case.bids[0])
        try:
            self._centre.bidder.hand_in(self._play.tender, [late])
        except TooLate as refusal:
            self._say(f"迟到的投标 → {refusal.text('zh')}", refusal.text("en"), "✋")

    def _open(self) -> None:
        state = self._play.open()
        self._say(
            f"开标：{THRESHOLD} 位受托人交出份额，{len(state.opened)} 个信封全部开启",
            "three shares, every envelope opened, proofs recorded",
        )
        for bid in state.priced():
            price = amount(bid.price, bid.currency)
            capital = _capital(bid.price)
            click.echo(f"      {price:>16}  {capital}  {bid.bidder_name}")

    def _rank(self) -> None:
        state = self._play.rank()
        first = first_ranks(state)[0]
        rejected = state.recommended.rejections if state.recommended else ()
        if rejected:
            self._say(
                f"评标：可验证抽取的 5 名专家签到、评审、签署，否决 {len(rejected)} 份投标",
                "five experts, drawn verifiably, reviewed on sealed sheets and signed the report",
            )
            for item in rejected:
                click.echo(f"      {state.opened[item.eid].bidder_name}：{item.ground[:120]}")
        self._say(
            f"评审排名第一：{first.bidder_name}，{amount(first.price, self._case.currency)}",
            f"rank 1; the record's winner was {self._case.lots[0].winner_name}",
        )

    def _publicity(self) -> None:
        state = self._play.publish_candidates()
        until = state.publicity.until if state.publicity else None
        self._say(f"候选人公示至 {_clock(until)}", "candidates published for three days")

    def _award(self) -> None:
        publicity = self._play.state.publicity
        if publicity:
            wait_until(self._centre, publicity.until)
        self._play.award()
        self._say("定标，发出中标通知书", "awarded, award notice sent")

    def _contract(self) -> None:
        contract = self._play.contract().contracts[1]
        self._say(
            f"签订合同 {contract.number}，{amount(contract.amount, self._case.currency)}",
            f"contract signed with {contract.supplier_name}",
        )

    # -- the end ------------------------------------------------------------------------------

    def _finish(self) -> None:
        state = self._play.state
        if state.phase is not Phase.COMPLETE:
            self._failed(state)
        export = self._out / "export"
        shutil.rmtree(export, ignore_errors=True)
        count = self._centre.export(export)
        self._say(f"导出 {count} 条记录到 {export}", f"{count} entries exported, verified anew:")
        verify(export)
        durable_write(
            self._out / _STATE, [msgspec.json.encode(_Kept(self._play.tender, done=True))]
        )
        click.echo(_NEXT.format(out=self._out, kaifeng=_program(), tender=self._play.tender))

    def _failed(self, state: Tender) -> None:
        ending = state.ending
        ground = f"{ending.ground}" if ending else state.phase.value
        self._say(f"项目未成：{ground}", "the tender ended without a contract", "✋")

    def _say(self, zh: str, en: str, mark: str = "✓") -> None:
        self._number += 1
        click.echo(f"{mark} {self._number:>2} {zh}\n      {click.style(en, dim=True)}")


_LIVE = """
服务正在运行，项目接受投标；另开一个终端试试
The server is running and the tender takes bids; in another terminal, try

  curl {url}/v1/tenders/{tender}                   # 任何人看到的 / what anyone sees
  curl {url}/readyz                                # 本机状态 / how the node is
  {url}/docs                                       # 接口说明 / the API, in a browser
  # 投一份标 / hand in a bid of your own
  {kaifeng} seal docs/tutorial --invitation {out}/invitation.tlog-proof \\
      --policy {out}/centre/policy.txt --charter {out}/centre/charter.txt \\
      --bidder 9133 --name 我公司 --price 1700 --currency UAH --out bid.kfe
  {kaifeng} submit bid.kfe --url {url} --policy {out}/centre/policy.txt \\
      --party you --key {out}/parties/you.key
  # 外部监测 / watch it as a stranger
  {kaifeng} monitor {url} --policy {out}/centre/policy.txt --state /tmp/kaifeng-monitor
  # 离线核验运行中的数据目录 / verify the live folder, offline
  {kaifeng} verify {out}/centre
  {kaifeng} backup {out}/centre /tmp/kaifeng-backup
"""

_NEXT = """
接下来可以试 / what to try next
  {kaifeng} verify {out}/export                    # 任何人离线核验 / anyone, offline
  {kaifeng} receipt {out}/bidders/1/bid.tlog-proof --policy {out}/centre/policy.txt
  rm -rf /tmp/copy && cp -r {out}/export /tmp/copy && sed -i '5s/a/b/' /tmp/copy/entries.jsonl
  {kaifeng} verify /tmp/copy                       # 指出哪一条被改 / names the entry
  {kaifeng} seal docs --invitation {out}/invitation.tlog-proof --policy {out}/centre/policy.txt \
      --charter {out}/centre/charter.txt --bidder 9133 --name 我公司 --price 1700 --out bid.kfe
  {kaifeng} tenders {out}/centre
  {kaifeng} paper {out}/export {tender} evaluation-report --out report.pdf   # 评标报告 / the report
  {kaifeng} draw transcript {out}/export {tender}:experts:1 --out draw.json   # 专家抽取 / the draw
  {kaifeng} draw verify draw.json --policy {out}/centre/policy.txt
  {kaifeng} replay docs/data/real-tenders.json     # 更多真实项目 / more real tenders
"""


def _program() -> str:
    """As the reader called it, so that the lines can be copied."""
    return sys.argv[0] if Path(sys.argv[0]).name == "kaifeng" else "kaifeng"


def verify(path: Path) -> None:
    """The same as `kaifeng verify`, in this process."""
    from web.commands.verify import command as verify_command

    verify_command.main([str(path)], standalone_mode=False)


def _kept(out: Path) -> _Kept:
    try:
        return msgspec.json.decode((out / _STATE).read_bytes(), type=_Kept)
    except msgspec.MsgspecError as error:
        raise InputUnusable(path=out / _STATE, problem=error) from error


def _said(name: str, pid: int) -> None:
    click.echo(click.style(f"  {name}：独立进程 process {pid}", dim=True))


def _clock(moment: datetime | None) -> str:
    return f"{moment.astimezone(BEIJING):%H:%M:%S}" if moment else "—"


def _capital(fen: int | None) -> str:
    from trading.kernel.money import Money

    return Money(fen).capital() if fen is not None else "—"
