"""卷宗 one tender's case, gathered from the streams of a ledger: what its papers are made from."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from evaluation.panel import Panel, draws_of, stream_of_panel
from evaluation.paper import Case
from evaluation.sitting import Sitting
from trading.awarding import Awarding, stream_of_award
from trading.draw import Draw, stream_of_draw
from trading.kernel.errors import StreamUnknown
from trading.ledger.entry import Stamp, folded
from trading.ledger.fact import Fact
from trading.tender import Tender, stream_of

__all__ = ["Streams", "case_of"]

Streams = Callable[[str], Sequence[tuple[Fact, Stamp]]]  # the facts of a stream; none if unknown

_SHOWN = 16  # digits of the leaf


def case_of(streams: Streams, tender: str, issuer: str, upto: int | None = None) -> Case:
    """As of the entry `upto`, or of the newest; StreamUnknown if there was no such tender yet."""
    known = _limited(streams, upto)
    state, panel, awarding = Tender(tender), Panel(tender), Awarding(tender)
    last = Stamp(-1, datetime.min.replace(tzinfo=UTC), "", 0, "", "")
    names: set[str] = set()
    for fold, stream in (
        (state, stream_of(tender)),
        (panel, stream_of_panel(tender)),
        (awarding, stream_of_award(tender)),
    ):
        for fact, stamp in known(stream):
            fold.apply(fact, stamp)
            last = max(last, stamp, key=lambda one: one.index)
            names |= draws_of(fact)
    if not state.height:
        raise StreamUnknown(stream=stream_of(tender))
    draws = {name: folded(known(stream_of_draw(name)), Draw(name)) for name in sorted(names)}
    mark = f"账本第 {last.index} 条 {last.leaf[:_SHOWN]}"
    return Case(Sitting(panel, state, draws), awarding, last.at, issuer, mark, last.index)


def _limited(streams: Streams, upto: int | None) -> Streams:
    if upto is None:
        return streams
    return lambda name: [(fact, stamp) for fact, stamp in streams(name) if stamp.index <= upto]
