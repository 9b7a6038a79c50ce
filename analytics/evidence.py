"""开标证据 what the opened envelopes of one lot have in common: opened once more with the points
that the ledger holds, compared, and forgotten.
"""

import tempfile
from pathlib import Path

from analytics.opening import firm_of, opened_of
from analytics.reading import Evidence, Home, read_apart
from analytics.traces import traces
from trading.desks.office import Office
from trading.envelope.layout import split_prefix
from trading.facts.opening import EnvelopeOpened
from trading.kernel.errors import Refusal
from trading.opening import Combined, open_one
from trading.tender import Tender

__all__ = ["Evidence", "evidence_of"]


def evidence_of(office: Office, state: Tender, lot: int) -> Evidence:
    """What cannot be opened again is named, and takes nobody else's files away."""
    unread: list[str] = []
    with tempfile.TemporaryDirectory(prefix="kaifeng-evidence-") as place:
        folder, homes = Path(place), dict[str, Home]()
        for opened in opened_of(state, lot):
            firm = firm_of(opened)
            own = Home(str(folder / str(len(homes))), firm, opened.bidder_name)
            home = homes.setdefault(firm, own)
            problem = _unpacked(office, state, opened, Path(home.folder))
            if problem:
                unread.append(f"{firm} 信封 {opened.eid[:16]}…：{problem}")
        read = read_apart(folder, list(homes.values()))
    came = [one.as_match() for one in traces(state, lot)]
    return Evidence((*read.matches, *came), (*unread, *read.unread))


def _unpacked(office: Office, state: Tender, opened: EnvelopeOpened, home: Path) -> str:
    """One bidder's technical and price envelopes lie together; what went wrong, in words."""
    target = home / f"stage-{opened.stage}"
    target.mkdir(parents=True, exist_ok=True)
    point = Combined(bytes.fromhex(opened.point), opened.trustees)
    try:
        _, body = split_prefix(office.objects.chunks(opened.eid))
        again = open_one(state, state.received[opened.eid], point, body, target)
    except OSError as error:
        return f"无法重开 / cannot be opened again: {error.strerror}"
    except Refusal as refusal:
        return f"无法重开 / cannot be opened again: {refusal.code}"
    return "" if isinstance(again, EnvelopeOpened) else "不再能打开 / does not open any more"
