"""The page of the HTTP interface: a written head, then every route as the application has it."""

import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

from litestar import Litestar

from trading.kernel import errors
from trading.kernel.errors import Refusal
from trading.phase import MACHINE
from web.problems import status_of

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # of Litestar 3, how it declares
    from web.access import MATRIX, Row
    from web.app import create_app
    from web.edge import Edge
    from web.ports import Ports

__all__ = ["http_page"]

_HEAD = Path(__file__).with_name("http_head.md")
_METHODS = ("get", "head", "post", "patch", "delete", "options")
_LANES = {
    "seal": "`POST …/seals`; reserved",
    "upload": "`…/uploads…`",
    "write": "every other write",
    "read": "every other read",
    "health": "`/healthz`, `/readyz`; reserved",
}
_KIB = 1024


def http_page(note: str) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        app = create_app(cast("Ports", None))  # described, never called
    head = _HEAD.read_text("utf-8").format(note=note, statuses=_statuses(), lanes=_lanes(app))
    return head + "".join(_desk(title, rows) for title, rows in _desks(app).items())


def _line(*cells: object) -> str:
    return f"| {' | '.join(str(cell) for cell in cells)} |\n"


def _statuses() -> str:
    """Which refusals have which status: the nearest ancestor decides, as in the application."""
    by_status: dict[int, list[str]] = {}
    for kind in (getattr(errors, name) for name in errors.__all__):
        if issubclass(kind, Refusal):
            by_status.setdefault(status_of(kind.__new__(kind)), []).append(kind.code)
    rows = [_line(status, ", ".join(sorted(codes))) for status, codes in sorted(by_status.items())]
    return _line("status", "codes") + _line("---", "---") + "".join(rows)


def _lanes(app: Litestar) -> str:
    lanes = vars(Edge(app))["_lanes"].values()
    return "".join(_line(lane.name, _LANES[lane.name], lane.most, _size(lane)) for lane in lanes)


def _size(lane: Any) -> str:
    if lane.name == "upload":
        return "`envelope_limit_mib`"
    return f"{lane.largest // _KIB:,} KiB"


def _desks(app: Litestar) -> dict[str, list[str]]:
    """The rows of each desk, in the order in which the access matrix lists its operations."""
    found: dict[str, list[tuple[int, str]]] = {}
    places = {operation: number for number, operation in enumerate(MATRIX)}
    paths: dict[str, Any] = app.openapi_schema.to_schema()["paths"]
    for path, item in paths.items():
        for method in _METHODS:
            if method in item:
                told = item[method]
                place = places[told["operationId"]]
                found.setdefault(told["tags"][0], []).append((place, _row(method, path, told)))
    ordered = sorted(found.items(), key=lambda desk: min(desk[1])[0])
    return {title: [row for _, row in sorted(rows)] for title, rows in ordered}


def _row(method: str, path: str, told: Any) -> str:
    row = MATRIX[told["operationId"]]
    does = " ".join(str(told.get("description") or "").split())
    return _line(
        f"`{method.upper()}`", f"`{path}`", _who(row), _when(row), does, _answers(told, row)
    )


def _who(row: Row) -> str:
    who = "、".join(sorted(row.roles)) or "—"
    return f"{who} (own)" if row.own else who


def _when(row: Row) -> str:
    if row.fact is None:
        return ""
    phases = dict.fromkeys(str(phase) for phase, fact, _ in MACHINE.rows if fact is row.fact)
    return f"{_span(list(phases))} → `{row.fact.__struct_config__.tag}`"


def _span(phases: list[str]) -> str:
    """Many phases in a row are told by the first and the last of them."""
    return ", ".join(phases) if len(phases) <= 3 else f"{phases[0]} … {phases[-1]}"


def _answers(told: Any, row: Row) -> str:
    codes: Iterable[str] = told["responses"]
    extra = ["401", "403"] if row.roles else []
    return ", ".join(sorted({*codes, *extra}))


def _desk(title: str, rows: list[str]) -> str:
    head = _line("method", "path", "谁 who", "何时 when", "", "answers") + _line(*["---"] * 6)
    return f"\n## {title}\n\n{head}{''.join(rows)}"
