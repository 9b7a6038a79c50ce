"""预警报告 one paper about a market, or about one auction of it, with its plots."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

import numpy as np

from analytics.average_bid import benchmark, cluster, coalition_needed, entering_together, moved
from analytics.bands import CLEAR, RED, REVIEW
from analytics.company import Company
from analytics.market import Market
from analytics.missing_bids import missing_bids
from analytics.model import Model
from analytics.neighbourhood import neighbourhood_of
from analytics.network import communities
from analytics.plot import bars, histogram, network, prices
from analytics.rotation import companions, rotas
from analytics.screens import SCREENS, screens
from analytics.warning import INSUFFICIENT, Warned
from analytics.who import coalition, shares, suspects
from evaluation.paper import Note, Pairs, Paper, Part, Picture, Table
from trading.kernel.errors import Usage

__all__ = ["auction_report", "market_report"]

_TOP = 20
_MOVE = 0.01  # of a benchmark
_CLUES = "本报告只列线索，供人工复核，不作认定。 Clues for people to look into, and no findings."
_SHOWN = ("cv", "spd", "diffp", "rd", "skew", "ks", "low_control", "won_control")
_NAMES = {
    "cv": "变异系数 coefficient of variation",
    "spd": "价差 spread",
    "diffp": "最低两家差 lowest two",
    "rd": "相对距离 relative distance",
    "skew": "偏度 skewness",
    "ks": "均匀性 KS",
    "low_control": "最低价/控制价 lowest to ceiling",
    "won_control": "中标价/控制价 winner to ceiling",
}


def market_report(model: Model, market: Market, warned: Sequence[Warned], at: datetime) -> Paper:
    """All auctions: the scores, the bands, the most suspect, who keeps company."""
    scores = [one.score for one in warned if one.score is not None]
    bands = Counter(one.band for one in warned)
    parts = [
        _subject(model, market),
        Part(
            "评分分布 Scores",
            (
                Picture(histogram(scores), "各场评分的分布 histogram of the scores"),
                Note("纵轴为对数，数字为场数。 Logarithmic; the figures count auctions."),
                Table(
                    ("分档 band", "场数 auctions"),
                    tuple((b, f"{bands[b]:,}") for b in (RED, REVIEW, CLEAR, INSUFFICIENT)),
                    (3, 1),
                    (1,),
                ),
            ),
        ),
        _most_suspect(warned),
        Part(
            "参与度 Participation",
            (Picture(bars(_sizes(market)), "按投标家数的场数 auctions by number of bids"),),
        ),
    ]
    parts.append(_missing(market))
    if market.has_bidders:
        parts += _company(market)
    return _paper(f"{market.name} 市场围串标预警报告", market.name, at, parts)


def auction_report(
    model: Model, market: Market, warned: Sequence[Warned], auction: str, at: datetime
) -> Paper:
    """One auction; Usage if the market has none of that name."""
    if auction not in market.auctions:
        raise Usage(problem=f"没有这场 / no such auction: {auction}")
    place = market.auctions.index(auction)
    one, within = warned[place], market.within(place)
    parts = [_subject(model, market), _said(one), _prices(market, place), _screens(market, place)]
    who = [who for who in suspects(market, warned) if who.auction == auction and who.bidder]
    scores = {one.bidder: one.score for one in who}
    parts.append(_benchmark(market, place))
    if scores:
        company = Company.of(market)
        around = neighbourhood_of(company, market.bidders[within])
        parts.append(
            Part(
                "同标网络 Network",
                (Picture(network(around), "本场企业（红）与常遇企业 firms here in red"),),
            )
        )
        together = coalition(_shares_of(market, place), company)
        parts.append(_bidders(scores, together))
        if together:
            parts.append(_together(market, place, company, together))
    return _paper(f"{auction} 围串标预警报告", market.name, at, parts)


def _paper(title: str, market: str, at: datetime, parts: Sequence[Part]) -> Paper:
    return Paper(
        title=title,
        subtitle=market,
        issuer="开封 Kaifeng",
        at=at,
        parts=tuple(parts),
        has_seal=False,
    )


def _subject(model: Model, market: Market) -> Part:
    rows = (
        ("市场 market", market.name),
        ("规模 size", f"{len(market):,} 场 auctions，{len(market.bids):,} 个报价 bids"),
        ("模型 model", f"{model.card.version}，{model.digest[:16]}…"),
        (
            "未见市场 AUC",
            "，".join(f"{name} {value:.2f}" for name, value in model.card.unseen_auc.items()),
        ),
    )
    return Part("对象 Subject", (Pairs(rows), Note(_CLUES)))


def _most_suspect(warned: Sequence[Warned]) -> Part:
    told = [one for one in warned if one.score is not None and not one.abstain]
    order = sorted(told, key=lambda one: -(one.score or 0))[:_TOP]
    rows = tuple(
        (
            one.auction,
            f"{one.score:.3f}",
            one.band,
            "；".join(reason.split(" / ")[0] for reason in one.reasons[:2]),
        )
        for one in order
    )
    if not rows:
        return Part("最可疑 Most suspect", (Note("本市场不作判断。 Nothing is said here."),))
    head = ("场次 auction", "评分 score", "分档 band", "理由 reasons")
    return Part("最可疑 Most suspect", (Table(head, rows, (4, 2, 2, 14), (1,)),))


def _sizes(market: Market) -> dict[str, float]:
    counts = np.bincount(np.minimum(market.sizes, _TOP))
    return {
        f"{size}+" if size == _TOP else f"{size}": float(count)
        for size, count in enumerate(counts.tolist())
        if size
    }


def _company(market: Market) -> list[Part]:
    company = Company.of(market)
    beside, turns = companions(company)[:_TOP], rotas(company, communities(market))[:_TOP]
    parts = []
    if beside:
        rows = tuple(
            (one.companion, one.winner, f"{one.met}", f"{one.expected}", f"{one.chance:.1e}")
            for one in beside
        )
        head = ("陪标 companion", "中标 winner", "同场 met", "期望 expected", "概率 chance")
        parts.append(Part("陪标 Companions", (Table(head, rows, (5, 5, 2, 2, 3), (2, 3, 4)),)))
    if turns:
        won = tuple(
            ("、".join(one.firms), f"{len(one.wins)}", f"{one.repeats}", f"{one.expected}")
            for one in turns
        )
        firms = ("企业 firms", "中标 wins", "连中 repeats", "期望 expected")
        parts.append(Part("轮流中标 Rotation", (Table(firms, won, (12, 2, 3, 3), (1, 2, 3)),)))
    return parts


def _missing(market: Market) -> Part:
    found = missing_bids(market)
    if found.share is None or found.chance is None:
        told = "报价太少，不作判断。 Too few bids to tell."
    else:
        told = (
            f"距胜负 {found.width:.1%} 以内 {found.close:,} 个报价，相邻带 {found.beside:,} 个，"
            f"比值 {found.share:.2f}（竞争市场约为 1），如此之少的概率 {found.chance:.1e}。 "
            f"Bids close to winning over those a little farther: {found.share:.2f}, by chance 1."
        )
    return Part("缺失的报价 Missing bids", (Note(told),))


def _said(one: Warned) -> Part:
    score = "—" if one.score is None else f"{one.score:.3f}"
    pairs = Pairs((("评分 score", score), ("分档 band", one.band)))
    return Part("结论 What is said", (pairs, *(Note(reason) for reason in one.reasons)))


def _prices(market: Market, place: int) -> Part:
    within = market.within(place)
    bids, ceiling = market.bids[within], float(market.controls[place])
    svg = prices(
        bids.tolist(),
        market.winner[within].tolist(),
        ceiling if np.isfinite(ceiling) else None,
    )
    note = f"{len(bids)} 个报价，升序；红点为中标。 Ascending; the winner is red."
    return Part("报价 Prices", (Picture(svg, "报价散点 the bids of the auction"), Note(note)))


def _screens(market: Market, place: int) -> Part:
    found = screens(market)
    rows = []
    for code in _SHOWN:
        column = found[code]
        known = column[np.isfinite(column)]
        if code in SCREENS and np.isfinite(column[place]) and len(known):
            below = float((known < column[place]).mean())
            middle = float(np.median(known))
            rows.append((_NAMES[code], f"{column[place]:.4f}", f"{middle:.4f}", f"{below:.0%}"))
    head = ("指标 screen", "本场 here", "市场中位 market", "低于本场 below")
    return Part("筛查指标 Screens", (Table(head, tuple(rows), (8, 3, 3, 3), (1, 2, 3)),))


def _benchmark(market: Market, place: int) -> Part:
    """Where a mean of the bids decides, what it would take to move it."""
    bids = market.bids[market.within(place)]
    needed, close = coalition_needed(bids, _MOVE), cluster(bids)
    middle = (
        f"去掉两端各一成后的均价 {benchmark(bids):,.2f}；使其移动 {_MOVE:.0%} "
        f"需 {needed or '—'} 家一致。 "
        f"Mean of the middle: so many must agree to move it by {_MOVE:.0%}."
    )
    told = [middle]
    if close is not None:
        told.append(
            f"最接近的三家相差 {close.span:.3%}，独立报价偶然如此的概率约 {close.likelihood}。 "
            f"The closest three, and how likely three of independent bids lie so close."
        )
    return Part("基准价 Benchmark", tuple(Note(one) for one in told))


def _together(market: Market, place: int, company: Company, group: Sequence[str]) -> Part:
    bidders = market.bidders[market.within(place)]
    shift = moved(
        market.bids[market.within(place)],
        [number for number, bidder in enumerate(bidders) if bidder in group],
    )
    entered = entering_together(company, group)
    rows = (
        ("移动均价 moves the mean", f"{shift.shift:.3%}", f"{shift.chance:.1%}"),
        (
            f"同进 enters together，{entered.met} 场（期望 expected {entered.expected:.1f}）",
            "",
            f"{entered.chance:.1%}",
        ),
    )
    head = ("团伙 group", "幅度 shift", "偶然 by chance")
    return Part("团伙的作用 What the group does", (Table(head, rows, (10, 3, 3), (1, 2)),))


def _shares_of(market: Market, place: int) -> dict[str, float]:
    within = market.within(place)
    return dict(zip(market.bidders[within], shares(market)[within].tolist(), strict=True))


def _bidders(scores: dict[str, float | None], together: Sequence[str]) -> Part:
    order = sorted(scores, key=lambda who: (-(scores[who] or 0), who))
    rows = tuple((who, "—" if scores[who] is None else f"{scores[who]:.3f}") for who in order)
    head = ("投标人 bidder", "评分 score")
    told = "、".join(together) or "—"
    note = Note(f"可能的团伙 a group that may stand together: {told}")
    return Part("逐家 Bidders", (Table(head, rows[: _TOP * 2], (10, 3), (1,)), note))
