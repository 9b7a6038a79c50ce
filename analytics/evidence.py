"""开标证据 what the opened envelopes of one lot have in common: opened once more with the points
that the ledger holds, compared, and forgotten.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec

from analytics.dossier import Dossier, Maker, read_dossier
from analytics.finding import Finding
from analytics.likeness import likeness
from analytics.traces import traces
from trading.desks.office import Office
from trading.envelope.layout import Stage, split_prefix
from trading.facts.warning import Match
from trading.opening import combined_point, open_one
from trading.tender import Tender

__all__ = ["Evidence", "evidence_of"]

_MOST = 200  # findings of one lot
_NOTHING = Dossier("tender", Maker(), None, ())


class Evidence(msgspec.Struct, frozen=True):
    """`unread`: files that could not be read, bidder by bidder."""

    matches: tuple[Match, ...]
    unread: tuple[str, ...]


def evidence_of(office: Office, state: Tender, lot: int) -> Evidence:
    with tempfile.TemporaryDirectory(prefix="kaifeng-evidence-") as folder:
        dossiers = list(_dossiers(office, state, lot, Path(folder)))
        found = [*likeness(dossiers, _NOTHING), *traces(state, lot)][:_MOST]
    unread = tuple(f"{one.bidder} {file}" for one in dossiers for file in one.unread)
    return Evidence(tuple(_match(one) for one in found), unread)


def _dossiers(office: Office, state: Tender, lot: int, folder: Path) -> Iterator[Dossier]:
    """One for each bidder of the lot, its technical and its price envelope together."""
    homes: dict[str, tuple[Path, str]] = {}
    stages = [stage for stage in (Stage.TECHNICAL, Stage.PRICE) if stage in state.drafted.stages]
    for stage in stages:
        for position, bid in enumerate(state.final(stage)):
            opened = state.opened.get(bid.eid)
            if opened is None or opened.lot != lot:
                continue
            home, _ = homes.setdefault(
                opened.bidder_id, (folder / str(len(homes)), opened.bidder_name)
            )
            target = home / f"stage-{stage}"
            target.mkdir(parents=True, exist_ok=True)
            _, body = split_prefix(office.objects.chunks(bid.eid))
            open_one(state, bid, combined_point(state, stage, position), body, target)
    for bidder, (home, name) in homes.items():
        yield read_dossier(home, bidder, name, lenient=True)


def _match(one: Finding) -> Match:
    return msgspec.convert(msgspec.structs.asdict(one), Match)
