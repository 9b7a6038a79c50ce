"""抽取记录 the draw record: who contributed what, the seed, what was drawn, how to check it."""

from evaluation.paper import Case, Note, Pairs, Paper, PaperKind, Part, Table, paper_of
from trading.draw import Draw
from trading.kernel.errors import PaperRefusal

__all__ = ["PAPER"]

_WIDE = 32  # digits of a hash that are shown
_NARROW = 20
_PURPOSES = {"experts": "评标专家", "coefficient": "评标系数", "award": "定标抽签"}


def _compose(case: Case) -> Paper:
    draws = [draw for draw in case.sitting.draws.values() if draw.decided]
    if not draws:
        raise PaperRefusal(problem="没有已完成的抽取 / nothing was drawn")
    return paper_of(case, "抽取记录", [_draw(draw) for draw in draws])


def _draw(draw: Draw) -> Part:
    terms, head = draw.terms, draw.head
    recused = "，".join(f"{reason} {count}" for reason, count in terms.recused) or "无"
    facts = Pairs(
        (
            ("编号", draw.id),
            ("用途", _PURPOSES.get(terms.purpose, terms.purpose)),
            ("备选", f"{len(terms.options)} 个；回避 {recused}"),
            ("账本检查点", f"{head.size} 条，根 {head.root.hex()[:_WIDE]}…" if head else "—"),
            ("种子", draw.seed.hex()),
        )
    )
    given = Table(
        ("出随机数的一方", "承诺", "揭示"),
        tuple(
            (name[:_WIDE], draw.commitments[name][:_NARROW] + "…", secret[:_NARROW] + "…")
            for name, secret in draw.secrets.items()
        ),
        (5, 6, 6),
    )
    names = {name.code: name.name for name in draw.names}
    drawn = Table(
        ("组", "抽中", "姓名"),
        tuple(
            (group, code[:_WIDE], names.get(code, "保密"))
            for group, codes in draw.present.items()
            for code in codes
        ),
        (3, 9, 4),
    )
    stood = [
        Note(f"补抽：{one.gone[:16]}（{one.reason}）→ {one.code[:16]}") for one in draw.stand_ins
    ]
    check = Note("核验：kaifeng draw transcript 取出记录，kaifeng draw verify 重算。")
    return Part(f"抽取 {draw.id}", (facts, given, drawn, *stood, check))


PAPER = PaperKind(code="draw-record", zh="抽取记录", en="Draw record", compose=_compose)
