"""案卷 a panel's sitting, loaded from the ledger with its tender and its draws."""

from evaluation.panel import Panel, draws_of, stream_of_panel
from evaluation.sitting import Sitting
from trading.desks.office import Office
from trading.draw import Draw, stream_of_draw
from trading.ledger.entry import folded
from trading.ledger.fact import Fact

__all__ = ["draws_for", "draws_named", "sitting_of"]


def sitting_of(office: Office, tender: str) -> Sitting:
    panel = folded(office.ledger.stream(stream_of_panel(tender)), Panel(tender))
    return Sitting(panel, office.load(tender), draws_for(office, panel))


def draws_for(office: Office, panel: Panel, *more: Fact) -> dict[str, Draw]:
    """`more`: facts on their way in that may name further draws."""
    names = draws_named(panel, *more)
    return {name: folded(office.ledger.stream(stream_of_draw(name)), Draw(name)) for name in names}


def draws_named(panel: Panel, *more: Fact) -> list[str]:
    named = [fact for fact in (panel.formed, panel.report, *more) if fact]
    return sorted(set[str]().union(*map(draws_of, named)))
