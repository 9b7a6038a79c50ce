"""`kaifeng analytics`: train, score and judge the model that warns of collusion."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec
from rich.console import Console
from rich.table import Table

from trading.kernel.errors import Usage

if TYPE_CHECKING:
    from analytics.honest import Figures, Report
    from analytics.market import Market
    from analytics.warning import Warned

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)
_NEW = click.Path(path_type=Path)
_PERCENT = 100
_FEW = 20  # auctions, of which a share says little


@click.group("analytics", help="围串标预警：训练、打分、评估 / warnings of collusion.")
def command() -> None:
    pass


@command.command("train", help="由已标注市场训练模型 / train on labelled markets.")
@click.option(
    "--data", required=True, type=_FOLDER, help="每个 *.csv.gz 一个市场 / one market each"
)
@click.option("--out", required=True, type=_NEW, help="模型文件 / the model")
@click.option(
    "--split",
    default="auctions",
    type=click.Choice(["auctions", "bids"]),
    help="auctions；bids 会泄漏标签，一律拒绝 / refused: bids of an auction share its label",
)
@click.option("--place", default="", help="模型所用的市场 / the market it is for: learns there too")
def train_command(data: Path, out: Path, split: str, place: str) -> None:
    from analytics.leaks import leaks
    from analytics.market import read_markets
    from analytics.training import train

    if split == "bids":
        problem = "随机拆分报价会泄漏拍卖的标签 / splitting bids leaks the labels of their auctions"
        raise Usage(problem=problem)
    markets = read_markets(data)
    for leak in (leak for market in markets for leak in leaks(market)):
        click.echo(f"! {leak.zh} / {leak.en}", err=True)
    model = train(markets, _told, place)
    model.save(out)
    for taught in model.card.markets:
        unseen, theory = (
            table[taught.name] for table in (model.card.unseen_auc, model.card.untrained_auc)
        )
        click.echo(
            f"  {taught.name}: {taught.auctions} 场 auctions, {taught.rigged:.0%} 围串 rigged, "
            f"AUC {unseen:.3f}（未见过的市场 unseen）, {theory:.3f}（不训练 untrained）"
        )
    click.echo(f"✓ {out}  sha256 {model.digest}")


@command.command("score", help="给一个市场的拍卖打分 / score the auctions of one market.")
@click.option("--model", "path", required=True, type=_FILE, help="模型文件 / the model")
@click.option("--input", "given", required=True, type=_FILE, help="CSV: auction_id, bid, …")
@click.option("--out", required=True, type=_NEW, help="CSV: auction_id, score, band, …")
@click.option(
    "--cleared", type=_FILE, help="本地已核清的拍卖（约 30 场） / some thirty cleared on the spot"
)
@click.option(
    "--bidders", is_flag=True, help="逐家打分：auction_id, bidder_id, score / each bidder, instead"
)
def score_command(path: Path, given: Path, out: Path, cleared: Path | None, bidders: bool) -> None:  # noqa: FBT001
    from analytics.market import read_market
    from analytics.model import Model
    from analytics.warning import warn, write_warnings

    model, market = Model.load(path), read_market(given)
    warned = warn(model, market, read_market(cleared) if cleared else None)
    if bidders:
        _write_suspects(out, market, warned)
        return
    write_warnings(out, warned)
    counts: dict[str, int] = {}
    for one in warned:
        counts[one.band] = counts.get(one.band, 0) + 1
    shown = "，".join(f"{band} {count}" for band, count in sorted(counts.items()))
    click.echo(f"✓ {out}: {shown}；线索，供人工复核 / clues for people to look into")


def _write_suspects(out: Path, market: "Market", warned: "Sequence[Warned]") -> None:
    from analytics.who import suspects, write_suspects

    found = suspects(market, warned)
    write_suspects(out, found)
    click.echo(f"✓ {out}: {len(found)} 家次 bids；线索，供人工复核 / clues for people to look into")


@command.command("evaluate", help="不留情面的评估 / judged without flattery.")
@click.option(
    "--data", required=True, type=_FOLDER, help="每个 *.csv.gz 一个市场 / one market each"
)
@click.option(
    "--game", is_flag=True, help="论文的规则，仅供对照 / the papers' own game, to compare"
)
def evaluate_command(data: Path, game: bool) -> None:  # noqa: FBT001  a flag
    from analytics.honest import evaluate
    from analytics.market import read_markets

    markets = read_markets(data)
    if game:
        _play(markets)
        return
    reports = evaluate(markets, _told)
    console = Console(width=132)
    for title, rows in _tables(reports):
        table = Table(title=title, title_justify="left")
        for column in ("市场 market", "场 auctions", "AUC", "TPR @ 5% FPR", "前 5% top"):
            table.add_column(column, justify="left" if column.startswith("市") else "right")
        for row in rows:
            table.add_row(*row)
        console.print(table)
    console.print(_promises(reports))


@command.command("near", help="档案中近似的文件，跨项目 / files alike in a whole archive.")
@click.argument("folder", type=_FOLDER)
@click.option("--least", default=50, show_default=True, type=click.IntRange(50, 100), help="%")
@click.option("--given", type=_FOLDER, help="发给所有人的文件 / what everybody was given")
def near_command(folder: Path, least: int, given: Path | None) -> None:
    from analytics.near import near_files

    read, found, unread = near_files(folder, least / _PERCENT, given)
    for name in unread:
        click.echo(f"! {name}：无法读取，未比对 / could not be read", err=True)
    for one in found:
        click.echo(f"{one.similarity:.0%}  {one.first}  ↔  {one.second}")
        click.echo(f"      {one.passage}")
    click.echo(f"{read} 个文件，{len(found)} 对近似；供人工复核 / for people to look into")


@command.command("drift", help="漂移监测：与先前的拍卖相比 / do auctions still look as they did?")
@click.option("--before", required=True, type=_FILE, help="CSV：分档所依据的 / the bands' own")
@click.option("--after", required=True, type=_FILE, help="CSV：近期的 / recent ones")
def drift_command(before: Path, after: Path) -> None:
    from analytics.drift import drift
    from analytics.features import FEATURES, matrix
    from analytics.market import read_market

    codes = [feature.code for feature in FEATURES]
    for one in drift(codes, matrix(read_market(before)), matrix(read_market(after))):
        if one.psi is None:
            click.echo(f"  {one.code}: {one.before} → {one.after}，太少 too few")
            continue
        mark = "!" if one.alarm else " "
        figures = f"PSI {one.psi:.3f}, KS {one.ks:.3f} (p {one.chance:.1e})"
        click.echo(f"{mark} {one.code}: {one.before} → {one.after}，{figures}")


@command.command(
    "similar", help="投标文件雷同检查 / what bids have in common that they should not."
)
@click.argument("folders", nargs=-1, required=True, type=_FOLDER)
@click.option("--json", "as_json", is_flag=True, help="以 JSON 打印 / print JSON")
def similar_command(folders: tuple[Path, ...], as_json: bool) -> None:  # noqa: FBT001  a flag
    from analytics.dossier import read_dossiers
    from analytics.likeness import likeness

    dossiers, background = read_dossiers(folders)
    found = likeness(dossiers, background)
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
        return
    for one in found:
        click.echo(f"[{one.grade}] {one.first} ↔ {one.second}：{one.zh}（{one.article}）")
        click.echo(f"    {one.en}")
        click.echo(f"    {one.first}: {one.where_first}")
        click.echo(f"    {one.second}: {one.where_second}")
    click.echo(
        f"{len(dossiers)} 家，{len(found)} 项；供人工复核，不自动否决 / for people to look into"
    )


@command.command("clues", help="清标四十六项线索 / the catalogue of 46, over cases (JSON lines).")
@click.argument("path", metavar="FILE", type=_FILE)
@click.option("--json", "as_json", is_flag=True, help="以 JSON 打印 / print JSON")
def clues_command(path: Path, as_json: bool) -> None:  # noqa: FBT001  a flag
    from analytics.clueing import clues_of, points_of, read_cases

    said = clues_of(read_cases(path))
    if as_json:
        click.echo(msgspec.json.encode(said).decode())
        return
    for lot, points in points_of(said).items():
        click.echo(f"{lot}: {points} 分 points")
        for one in (one for one in said if one.lot == lot):
            who = "、".join(one.who)
            click.echo(f"    [{one.group} {one.points}] {one.zh} {one.en}：{who} {one.value}")
    click.echo(f"{len(said)} 项线索，供人工复核 / clues for people to look into")


@command.command("report", help="一场或一个市场的 PDF 报告 / one auction or market as a PDF.")
@click.option("--model", "path", required=True, type=_FILE, help="模型文件 / the model")
@click.option(
    "--input",
    "given",
    required=True,
    type=click.Path(path_type=Path, exists=True),
    help="CSV，或账本（导出、数据目录） / a CSV, or a ledger: an export, a data folder",
)
@click.option("--auction", help="只报告这一场；账本中为 项目/标段 / one: TENDER/LOT of a ledger")
@click.option("--cleared", type=_FILE, help="本地已核清的拍卖 / cleared on the spot")
@click.option("--out", required=True, type=_NEW, help="PDF")
def report_command(
    path: Path, given: Path, auction: str | None, cleared: Path | None, out: Path
) -> None:
    from analytics.ledger_market import read_ledger
    from analytics.market import read_market
    from analytics.model import Model
    from analytics.report import auction_report, market_report
    from analytics.warning import warn
    from evaluation.paper import typeset
    from trading.kernel.files import durable_write
    from trading.kernel.instant import SystemClock

    model, at = Model.load(path), SystemClock().read().at
    market = read_ledger(given) if given.is_dir() else read_market(given)
    warned = warn(model, market, read_market(cleared) if cleared else None)
    paper = (
        auction_report(model, market, warned, auction, at)
        if auction
        else market_report(model, market, warned, at)
    )
    pdf = typeset(paper)
    durable_write(out, [pdf])
    click.echo(f"✓ {paper.title} → {out} ({len(pdf) // 1024} KiB)")


@command.command("synth", help="生成情景：串标与貌似者 / made-up rings, and innocents like them.")
@click.option("--seed", required=True, type=click.IntRange(min=0))
@click.option("--out", required=True, type=_NEW, help="空目录 / an empty folder")
def synth_command(seed: int, out: Path) -> None:
    from analytics.synth import synthesize

    if out.exists() and any(out.iterdir()):
        raise Usage(problem=f"{out}: 目录非空 / not empty")
    names = synthesize(seed, out)
    click.echo(f"✓ {out}: {'、'.join(names)}")


def _play(markets: "Sequence[Market]") -> None:
    from analytics.game import play

    click.echo("80:20，逐报价的平衡准确率 / balanced accuracy by bid; 会高估 it flatters")
    for market in markets:
        one = play(market)
        if one is None:
            click.echo(f"  {market.name}: 太少，不作比较 / too few of both kinds")
            continue
        click.echo(
            f"  {one.market}: {one.mean:.3f} ± {one.deviation:.3f}，"
            f"仅价格 prices alone {one.prices:.3f}"
        )


def _tables(reports: "Sequence[Report]") -> list[tuple[str, list[tuple[str, ...]]]]:
    titles = {
        "grouped": "按拍卖分组，五折 / auctions held out, five folds, trained inside the market",
        "unseen": "留出整个市场 / whole markets held out",
        "community": "留出整个社群的企业 / whole communities of firms held out",
        "spared": "同上，不足 20 场时不清除 / the same, not purged where under 20 would remain",
    }
    found = []
    for name, title in titles.items():
        figures = [(r.market, getattr(r, name)) for r in reports if getattr(r, name)]
        if figures:
            rows = [_row(market, figure) for market, figure in figures]
            found.append((title, [*rows, _macro([figure for _, figure in figures])]))
    return found


def _row(market: str, figures: "Figures") -> tuple[str, ...]:
    shares = (figures.auc, figures.found, figures.top)
    few = "（太少 too few）" if figures.auctions < _FEW else ""
    return (market + few, f"{figures.auctions:,}", *(f"{share:.3f}" for share in shares))


def _macro(figures: "Sequence[Figures]") -> tuple[str, ...]:
    means = [
        sum(getattr(one, name) for one in figures) / len(figures)
        for name in ("auc", "found", "top")
    ]
    return ("宏平均 macro", "", *(f"{mean:.3f}" for mean in means))


def _promises(reports: "Sequence[Report]") -> Table:
    table = Table(title="承诺与对照 / promises, and the peer", title_justify="left")
    for column in (
        "市场 market",
        "围串 rigged",
        "不训练 untrained AUC",
        "逐家 bidders AUC",
        "清白转红 clean turned red",
        "Brier（基线 base）",
        "ECE",
    ):
        table.add_column(column, justify="left" if column.startswith("市") else "right")
    for report in reports:
        red = f"{report.red:.1%}" if report.red is not None else "—"
        told = report.calibration
        brier = f"{told.brier:.3f} ({told.base:.3f})" if told else "—"
        ece = f"{told.ece:.3f}" if told else "—"
        who = f"{report.bidders:.3f}" if report.bidders is not None else "—"
        figures = (f"{report.rigged:.1%}", f"{report.untrained:.3f}", who, red, brier, ece)
        table.add_row(report.market, *figures)
    return table


def _told(what: str) -> None:
    click.echo(f"  … {what}", err=True)
