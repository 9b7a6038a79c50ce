"""情景生成 made-up tenders for trying the checks: rings of several kinds, and innocents that look
like them. The same seed writes the same bytes; `truth.json` says what is to be found.
"""

import json
from collections.abc import Callable, Iterator
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from analytics.synth_market import write_markets
from trading.kernel.files import durable_folder

__all__ = ["SCENARIOS", "Scenario", "synthesize"]

_CENT = Decimal("0.01")
_APART = Decimal("0.003")  # of a total
_NOUNS = [
    "混凝土",
    "钢筋",
    "模板",
    "脚手架",
    "基坑",
    "边坡",
    "管廊",
    "路基",
    "沥青",
    "桥墩",
    "支座",
    "伸缩缝",
    "防水层",
    "保温板",
    "吊顶",
    "幕墙",
    "电缆",
    "桥架",
    "配电箱",
    "水泵",
    "阀门",
    "消防栓",
    "风管",
    "机组",
    "绿化",
    "苗木",
    "护栏",
    "标线",
    "涵洞",
    "挡墙",
    "泵站",
    "闸门",
    "围堰",
    "堤防",
    "渠道",
    "隧洞",
]
_VERBS = [
    "浇筑",
    "绑扎",
    "安装",
    "拆除",
    "开挖",
    "回填",
    "碾压",
    "摊铺",
    "张拉",
    "灌浆",
    "焊接",
    "调试",
    "养护",
    "检测",
    "验收",
    "测量",
    "放样",
    "运输",
]
_PHRASES = [
    "由项目经理统一安排",
    "分三个流水段进行",
    "按照监理批准的方案",
    "在雨季前完成",
    "采用机械配合人工",
    "每班自检后报验",
    "设专职安全员旁站",
    "优先使用本地材料",
    "与相邻标段错峰",
    "夜间不安排高噪声作业",
    "以样板引路",
    "关键工序留影像资料",
]
_PLACES = [
    "江源",
    "众诚",
    "恒泰",
    "华宇",
    "远洋",
    "金石",
    "中岳",
    "长河",
    "明达",
    "安信",
    "博远",
    "鼎盛",
]
_KINDS = ["建设集团", "建筑工程有限公司", "市政工程有限公司", "建工股份有限公司"]
_TEMPLATE = (
    "本公司严格遵守国家有关法律法规和招标文件的全部要求，保证所提交资料真实有效。",
    "项目部设项目经理、技术负责人、施工员、质量员、安全员、材料员和资料员各一名。",
    "质量管理体系、环境管理体系和职业健康安全管理体系均已通过认证并在有效期内。",
    "投标有效期为九十日，自投标截止之日起计算，在此期间本投标文件对我方具有约束力。",
)

Rng = np.random.Generator


class Bid(msgspec.Struct):
    """One bidder's folder in the making."""

    name: str
    prices: dict[str, Decimal]
    texts: list[str]
    maker: dict[str, Any]
    slips: dict[str, Decimal] = {}
    total: Decimal | None = None


class Scenario(msgspec.Struct, frozen=True):
    """`kinds`: of findings that are right about the first two bidders; none: nothing is there."""

    code: str
    kinds: tuple[str, ...]
    make: Callable[[list[Bid], Rng], None]
    firms: int = 0  # as drawn


def synthesize(seed: int, out: Path) -> list[str]:
    """A folder for each scenario, with `tender/` and one folder for each bidder; `prices.csv` with
    the totals of all; `markets/`, where a ring shows over thirty lots only.
    """
    truth: dict[str, Any] = {}
    totals: dict[str, dict[str, str]] = {}
    for number, scenario in enumerate(SCENARIOS):
        draw = np.random.default_rng([seed, number])
        bids = _honest(draw, scenario.firms)
        scenario.make(bids, draw)
        _write(out / scenario.code, bids)
        pair = [bid.name for bid in bids[:2]]
        truth[scenario.code] = {
            "kinds": list(scenario.kinds),
            "pair": pair if scenario.kinds else [],
        }
        totals[scenario.code] = {bid.name: f"{_total(bid)}" for bid in bids if bid.prices}
    truth |= write_markets(np.random.default_rng([seed, len(SCENARIOS)]), out, totals)
    (out / "truth.json").write_text(json.dumps(truth, ensure_ascii=False, indent=1), "utf-8")
    return list(totals)


def _honest(draw: Rng, wanted: int = 0) -> list[Bid]:
    """Five to nine firms, or as many as wanted, that work alone, on a bill of 200 to 800 lines."""
    lines, firms = int(draw.integers(200, 801)), wanted or int(draw.integers(5, 10))
    names = draw.permutation(_PLACES)
    cost = np.exp(draw.normal(4, 1.2, lines))
    bids = []
    for firm in range(firms):
        level, taste = draw.normal(1.15, 0.04), draw.normal(1, 0.08, lines)
        prices = {f"{n:06d}": _cents(cost[n] * level * taste[n]) for n in range(lines)}
        texts = [_sentence(draw) for _ in range(60)]
        name = f"{names[firm]}{_KINDS[draw.integers(len(_KINDS))]}"
        bids.append(Bid(name, prices, texts, _maker(draw)))
    for code in list(bids[0].prices)[:: max(1, lines // 20)]:  # the owner's own provisional prices
        for bid in bids:
            bid.prices[code] = bids[0].prices[code]
    return bids


def _maker(draw: Rng) -> dict[str, Any]:
    names = ("machine", "mac", "disk", "dongle", "author", "saved_by", "payer")
    found: dict[str, Any] = {name: draw.bytes(16).hex() for name in names}
    found["staff"] = [draw.bytes(8).hex() for _ in range(5)]
    return found


def _sentence(draw: Rng) -> str:
    parts = [
        f"{_NOUNS[draw.integers(len(_NOUNS))]}{_VERBS[draw.integers(len(_VERBS))]}"
        f"{_PHRASES[draw.integers(len(_PHRASES))]}{draw.integers(2, 400)}"
        for _ in range(4)
    ]
    return "，".join(parts) + "。"


# -- rings ----------------------------------------------------------------------------------------


def _same_author(bids: list[Bid], _: Rng) -> None:
    for field in ("machine", "author"):
        bids[1].maker[field] = bids[0].maker[field]


def _same_payer(bids: list[Bid], _: Rng) -> None:
    bids[1].maker["payer"] = bids[0].maker["payer"]


def _same_staff(bids: list[Bid], _: Rng) -> None:
    bids[1].maker["staff"][0] = bids[0].maker["staff"][2]


def _ratio(bids: list[Bid], draw: Rng) -> None:
    factor = Decimal(str(round(float(draw.uniform(1.02, 1.2)), 4)))
    bids[1].prices = {code: _cents(price * factor) for code, price in bids[0].prices.items()}


def _offset(bids: list[Bid], draw: Rng) -> None:
    step = Decimal(int(draw.integers(50, 900))) / 100
    bids[1].prices = {code: price + step for code, price in bids[0].prices.items()}


def _copied_prices(bids: list[Bid], draw: Rng) -> None:
    for code, price in bids[0].prices.items():
        if draw.random() < 0.85:
            bids[1].prices[code] = price


def _steps(bids: list[Bid], draw: Rng) -> None:
    """The ring's totals; bidders in between are somewhere else."""
    low, step = _sum(bids[0]), Decimal(int(draw.integers(5_000, 50_000)))
    for place, bid in zip((0, 2, 1), bids[:3], strict=True):
        bid.total = low + step * place
    for bid in bids[3:]:
        bid.total = low * Decimal("1.7") + Decimal(int(draw.integers(1, 10**6))) / 7
        bid.total = _cents(bid.total)


def _cluster(bids: list[Bid], draw: Rng) -> None:
    """Three of twelve knew the coefficient that was to be drawn, and bid around it; the first two
    are its edges. No honest total lies so near that nobody could tell it from theirs.
    """
    honest = [_sum(bid) for bid in bids[3:]]
    middle = sum(honest, Decimal(0)) / len(honest)
    drawn = min(honest)
    while any(abs(total / drawn - 1) < _APART for total in honest):
        drawn = middle * Decimal(str(round(float(draw.uniform(0.94, 1.0)), 4)))
    for bid, off in zip(bids[:3], ("-0.00002", "0.00002", "0.000005"), strict=True):
        bid.total = _cents(drawn * (1 + Decimal(off)))


def _slips(bids: list[Bid], draw: Rng) -> None:
    for code in draw.choice(list(bids[0].prices), 4, replace=False):
        for bid in bids[:2]:
            bid.prices[str(code)] = bids[0].prices[str(code)]
            bid.slips[str(code)] = Decimal(int(draw.integers(100, 900)) if bid is bids[0] else 0)
        bids[1].slips[str(code)] = bids[0].slips[str(code)]


def _copied_text(bids: list[Bid], draw: Rng) -> None:
    """Two thirds of it, with a number changed here and there."""
    copied = [text for text in bids[0].texts if draw.random() < 0.67]
    bids[1].texts[: len(copied)] = [text.replace("7", "8", 1) for text in copied]


def _mixed_up(bids: list[Bid], _: Rng) -> None:
    bids[0].texts[5] = f"{bids[1].name}承诺按期完成全部施工内容并承担相应责任。"


# -- innocents ------------------------------------------------------------------------------------


def _honest_work(_: list[Bid], __: Rng) -> None:
    """Nothing."""


def _agents_office(bids: list[Bid], _: Rng) -> None:
    """Most went to one agent to print: one network address."""
    for bid in bids[: len(bids) // 2 + 1]:
        bid.maker["mac"] = bids[0].maker["mac"]


def _template(bids: list[Bid], _: Rng) -> None:
    for bid in bids:
        bid.texts[:0] = list(_TEMPLATE) * 4


def _tenders_words(bids: list[Bid], draw: Rng) -> None:
    """Two of them answer the tender's own text line by line."""
    answered = [_sentence(draw) for _ in range(40)]
    for bid in bids[:2]:
        bid.texts[:0] = answered
    bids.append(Bid("tender", {}, answered, {}))


SCENARIOS = (
    Scenario("same-author", ("machine", "author"), _same_author),
    Scenario("same-payer", ("payer",), _same_payer),
    Scenario("same-staff", ("staff",), _same_staff),
    Scenario("equal-ratio", ("equal-ratio",), _ratio),
    Scenario("equal-offset", ("equal-offset",), _offset),
    Scenario("equal-prices", ("equal-prices",), _copied_prices),
    Scenario("stepped-totals", ("stepped-totals",), _steps),
    Scenario("clustered-totals", ("clustered-totals",), _cluster, 12),
    Scenario("shared-slips", ("shared-slips",), _slips),
    Scenario("copied-text", ("text",), _copied_text),
    Scenario("mixed-up", ("mixed-up",), _mixed_up),
    Scenario("honest", (), _honest_work),
    Scenario("agents-office", (), _agents_office),
    Scenario("template", (), _template),
    Scenario("tenders-words", (), _tenders_words),
)


# -- written --------------------------------------------------------------------------------------


def _write(folder: Path, bids: list[Bid]) -> None:
    for bid in bids:
        own = folder / bid.name
        durable_folder(own)
        (own / "technical.txt").write_text("\n".join(bid.texts), "utf-8")
        if bid.prices:
            (own / "bill.json").write_text(json.dumps(_bill(bid), ensure_ascii=False), "utf-8")
            (own / "maker.json").write_text(json.dumps(bid.maker, ensure_ascii=False), "utf-8")


def _bill(bid: Bid) -> dict[str, Any]:
    lines = list(_lines(bid))
    total = _total(bid)
    section = {"name": "分部分项", "lines": lines}
    return {"bidder": bid.name, "total": f"{total}", "sections": [section]}


def _lines(bid: Bid) -> Iterator[dict[str, str]]:
    for code, price in bid.prices.items():
        quantity = _quantity(code)
        amount = _cents(price * quantity) + bid.slips.get(code, Decimal(0))
        yield {
            "code": code,
            "name": _NOUNS[int(code) % len(_NOUNS)],
            "unit": "m3",
            "quantity": f"{quantity}",
            "price": f"{price}",
            "amount": f"{amount}",
        }


def _quantity(code: str) -> Decimal:
    return Decimal(10 + int(code) * 7 % 90)


def _total(bid: Bid) -> Decimal:
    return bid.total if bid.total is not None else _sum(bid)


def _sum(bid: Bid) -> Decimal:
    amounts = (_cents(price * _quantity(code)) for code, price in bid.prices.items())
    return sum(amounts, Decimal(0))


def _cents(value: Decimal | float) -> Decimal:
    return Decimal(str(value)).quantize(_CENT, ROUND_HALF_UP)
