"""开标证据 what the opened envelopes of one lot have in common: opened once more with the points
that the ledger holds, compared, and forgotten.
"""

import tempfile
from pathlib import Path

import msgspec

from analytics.reading import Evidence, Home, read_apart
from analytics.traces import traces
from trading.desks.office import Office
from trading.envelope.layout import Stage, split_prefix
from trading.facts.warning import Match
from trading.opening import combined_point, open_one
from trading.tender import Tender

__all__ = ["Evidence", "evidence_of"]


def evidence_of(office: Office, state: Tender, lot: int) -> Evidence:
    with tempfile.TemporaryDirectory(prefix="kaifeng-evidence-") as place:
        folder = Path(place)
        read = read_apart(folder, _unpacked(office, state, lot, folder))
    came = [msgspec.convert(msgspec.structs.asdict(one), Match) for one in traces(state, lot)]
    return Evidence((*read.matches, *came), read.unread)


def _unpacked(office: Office, state: Tender, lot: int, folder: Path) -> list[Home]:
    """One home for each bidder of the lot, its technical and its price envelope together."""
    homes: dict[str, Home] = {}
    stages = [stage for stage in (Stage.TECHNICAL, Stage.PRICE) if stage in state.drafted.stages]
    for stage in stages:
        for position, bid in enumerate(state.final(stage)):
            opened = state.opened.get(bid.eid)
            if opened is None or opened.lot != lot:
                continue
            own = Home(str(folder / str(len(homes))), opened.bidder_id, opened.bidder_name)
            home = homes.setdefault(opened.bidder_id, own)
            target = Path(home.folder) / f"stage-{stage}"
            target.mkdir(parents=True, exist_ok=True)
            _, body = split_prefix(office.objects.chunks(bid.eid))
            open_one(state, bid, combined_point(state, stage, position), body, target)
    return list(homes.values())
