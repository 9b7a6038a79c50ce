"""Envelopes sealed, admitted and opened by three of five, beside age and one SHA-256."""

import hashlib
import io
import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import pyrage
from bench.committees import Panel
from bench.openings import opening_rows
from bench.table import Row, Sizes, advance, amount, measured, median, progress, show

from trading.envelope.admit import admit, check_body
from trading.envelope.content import Opened
from trading.envelope.layout import PREFIX, Prefix, Stage
from trading.envelope.seal import BidKey, Sealing, seal
from trading.envelope.unseal import open_envelope, unwrap
from trading.kernel.files import CHUNK
from trading.keys.opening import check_share, combine, make_share

_SMALL, _LARGE = 1 << 10, 10 << 20
_BIND = b"bench"


class _Case:
    """One envelope of one size: its payload as a file and in memory, sealed once beforehand."""

    def __init__(self, panel: Panel, folder: Path, size: int, stage: int) -> None:
        self.payload = os.urandom(size)
        self.folder = folder / str(size)
        self.folder.mkdir()
        (self.folder / "bid.bin").write_bytes(self.payload)
        self._panel, self._stage = panel, stage
        self._manifest = panel.manifest(self.folder, stage)
        self._sealing = Sealing(
            address=panel.address(stage), key=BidKey(), identity=panel.identity(0)
        )
        self._age = pyrage.x25519.Identity.generate()
        self._out = folder / f"{size}.kfe"
        self.prefix = self.seal_to_file()
        whole = self._out.read_bytes()[PREFIX:]
        self._body = [whole[at : at + CHUNK] for at in range(0, len(whole), CHUNK)]
        self._aged = self.age_seal()

    def seal(self) -> Prefix:
        return seal(self._manifest, self.folder, self._sealing, io.BytesIO())

    def seal_to_file(self) -> Prefix:
        with self._out.open("wb") as out:
            return seal(self._manifest, self.folder, self._sealing, out)

    def age_seal(self) -> bytes:
        sealed: bytes = pyrage.encrypt(self.payload, [self._age.to_public()])
        return sealed

    def sha256(self) -> bytes:
        return hashlib.sha256(self.payload).digest()

    def admit(self) -> None:
        admit(self.prefix, self._sealing.address)
        check_body(self.prefix, self._body)

    def open(self) -> Opened:
        """Everything: lift, three shares with proofs, checks, combination, content."""
        committee, lifted = self._panel.seat.committee, [admit(self.prefix, self._sealing.address)]
        shares = [make_share(n, self._panel.shares[n - 1], lifted, _BIND) for n in (1, 2, 3)]
        for share in shares:
            check_share(share, committee, lifted, _BIND)
        dek = unwrap(self.prefix, combine(shares, committee, 0), self._sealing.address)
        return open_envelope(self.prefix, dek, b"", self._body)

    def age_open(self) -> bytes:
        opened: bytes = pyrage.decrypt(self._aged, [self._age])
        return opened


class _Figures(msgspec.Struct, frozen=True):
    wall: dict[str, float]
    cpu: dict[str, float]


def _measure(case: _Case, rounds: int, repeats: int) -> _Figures:
    works: dict[str, Callable[[], object]] = {
        "seal": case.seal,
        "age seal": case.age_seal,
        "sha256": case.sha256,
        "seal to a file": case.seal_to_file,
        "admit": case.admit,
        "open": case.open,
        "age open": case.age_open,
    }
    wall: dict[str, list[float]] = {name: [] for name in works}
    cpu: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            spent = measured(work, repeats)
            wall[name].append(spent.wall)
            cpu[name].append(spent.cpu)
    return _Figures(
        {name: median(times) for name, times in wall.items()},
        {name: median(times) for name, times in cpu.items()},
    )


def _size_rows(name: str, figures: _Figures, *, aimed: bool) -> list[Row]:
    wall, cpu = figures.wall, figures.cpu

    def row(what: str, own: float, peer: str, other: float) -> Row:
        return Row(f"{what} {name}", amount(own), peer, amount(other), own / other)

    first = row("seal", wall["seal"], "one SHA-256", wall["sha256"])
    if aimed:
        met = wall["seal"] <= 2 * wall["sha256"]
        first = msgspec.structs.replace(first, aim="≤ 2x", met=met)
    return [
        first,
        row("seal (CPU time)", cpu["seal"], "one SHA-256", cpu["sha256"]),
        row("seal", wall["seal"], "age encrypt", wall["age seal"]),
        row("seal to a file", wall["seal to a file"], "one SHA-256", wall["sha256"]),
        row("admit, body checked", wall["admit"], "one SHA-256", wall["sha256"]),
        row("open, 3 of 5", wall["open"], "age decrypt", wall["age open"]),
    ]


def run(folder: Path, sizes: Sizes) -> None:
    panel = Panel()
    rows: list[Row] = []
    for name, size, stage, repeats in (
        ("1 KiB", _SMALL, Stage.PRICE, 20),
        ("10 MiB", _LARGE, Stage.TECHNICAL, 1),
    ):
        case = _Case(panel, folder, size, stage)
        rows += _size_rows(name, _measure(case, 3 * sizes.rounds, repeats), aimed=size == _LARGE)
    show("3a  封装·接收·开启 seal, admit, open (medians; ratio of times)", rows)
    with progress() as bar:
        task = bar.add_task("price envelopes sealed", total=sizes.envelopes)
        envelopes = []
        for number in range(sizes.envelopes):
            envelopes.append(panel.price_envelope(number))
            if number % 50 == 49:
                advance(bar, task, 50)
    title = f"3b  开标 {sizes.envelopes:,} price envelopes opened, 3 of 5 (CPU time)"
    show(title, opening_rows(panel, envelopes, 1 if sizes.quick else 3))
