"""Writes the generated pages of docs/: `PYTHONPATH=tests python tests/docs/reference.py`."""

from pathlib import Path
from typing import Any

import msgspec
from routes import http_page

from evaluation.methods import METHODS
from evaluation.panel import PANEL_MACHINE
from trading import facts
from trading.awarding import AWARDING_MACHINE
from trading.draw import DRAW_MACHINE
from trading.kernel import errors
from trading.kernel.machine import Machine
from trading.kernel.settings import Settings
from trading.ledger.fact import fact_types
from trading.procedures import PROCEDURES
from trading.tender import MACHINE

DOCS = Path(__file__).parents[2] / "docs"
_ = facts
_NOTE = "*由代码生成，勿手改 / generated from the code: `python tests/docs/reference.py`.*\n"


def _table(*rows: tuple[object, ...]) -> str:
    head, *body = rows
    lines = [head, tuple("---" for _ in head), *body]
    return "".join(f"| {' | '.join(str(cell) for cell in row)} |\n" for row in lines)


def facts_page() -> str:
    rows = []
    for tag, kind in sorted(fact_types().items()):
        if kind.__module__.startswith("trading."):
            roles = "、".join(sorted(kind.by)) if len(kind.by) < 8 else "—"
            fields = ", ".join(field.encode_name for field in msgspec.structs.fields(kind))
            doc = (kind.__doc__ or "").split("\n")[0]
            erasable = "可删 erasable" if kind.personal else ""
            rows.append((f"`{tag}`", roles, fields or "—", f"{doc} {erasable}".strip()))
    head = ("tag", "谁可记录 by", "fields", "")
    return f"# 事实 Facts\n\n{_NOTE}\n{_table(head, *rows)}"


def errors_page() -> str:
    kinds = sorted((getattr(errors, name) for name in errors.__all__), key=lambda kind: kind.code)
    rows = [(f"`{k.code}`", f"`{k.__name__}`", k.zh, k.en) for k in kinds]
    return f"# 错误代码 Refusals\n\n{_NOTE}\n{_table(('code', 'name', '中文', 'English'), *rows)}"


def settings_page() -> str:
    source = Path(str(DOCS.parent / "trading/kernel/settings.py")).read_text("utf-8")
    rows = []
    for field in msgspec.structs.fields(Settings):
        line = next(x for x in source.splitlines() if x.strip().startswith(f"{field.name}:"))
        name = f"`{field.name}`, `KAIFENG_{field.name.upper()}`"
        rows.append((name, f"`{field.default!r}`", line.partition("#")[2].strip()))
    return f"# 设置 Settings\n\n{_NOTE}\n{_table(('setting', 'default', ''), *rows)}"


def procedures_page() -> str:
    parts = [f"# 交易方式与评标办法 Procedures and methods\n\n{_NOTE}"]
    for procedure in PROCEDURES:
        now = [s.versions[-1] for s in procedure.statutes()]
        rows = [
            (s.zh, rule.number, rule.article, rule.since, rule.mark)
            for s, rule in zip(procedure.statutes(), now, strict=True)
        ]
        head = ("规则 rule", "值", "条款 article", "since", "mark")
        title = f"\n## {procedure.zh} {procedure.en} (`{procedure.code}`, {procedure.law})\n\n"
        parts.append(title + _table(head, *rows))
        articles = procedure.articles
        cited = [(name, str(getattr(articles, name))) for name in articles.__struct_fields__]
        parts.append("\n" + _table(("情形 case", "条款 article"), *cited))
    methods = [(f"`{m.code}`", m.zh, m.en) for m in METHODS]
    parts.append(f"\n## 评标办法 Methods\n\n{_table(('code', '中文', 'English'), *methods)}")
    return "".join(parts)


def machine_page() -> str:
    parts = (
        ("# 项目的一生 A tender's life", MACHINE),
        ("## 抽取 A draw", DRAW_MACHINE),
        ("## 评标委员会 A panel", PANEL_MACHINE),
        ("## 定标委员会 An award committee", AWARDING_MACHINE),
    )
    return "\n".join(_machine(title, machine) for title, machine in parts)


def _machine(title: str, machine: Machine[Any]) -> str:
    rows = [(f"`{s}`", f"`{f.__name__}`", f"`{t}`") for s, f, t in machine.rows]
    note = f"{_NOTE}\n" if title.startswith("# ") else ""
    diagram = f"```mermaid\n{machine.mermaid()}\n```\n\n"
    return f"{title}\n\n{note}{diagram}" + _table(("phase", "fact", "then"), *rows)


PAGES = {
    "reference/facts.md": facts_page,
    "reference/errors.md": errors_page,
    "reference/settings.md": settings_page,
    "reference/procedures.md": procedures_page,
    "reference/machine.md": machine_page,
    "reference/http.md": lambda: http_page(_NOTE),
}


if __name__ == "__main__":
    for name, make in PAGES.items():
        (DOCS / name).write_text(make(), "utf-8")
