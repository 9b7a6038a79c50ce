"""Many price envelopes opened with every proof, step by step and through the tender's rules."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from bench.committees import Panel, Sealed, sealed_tender
from bench.table import Row, amount, measured, median

from trading.committee import Charter
from trading.envelope.layout import Stage
from trading.envelope.unseal import open_envelope, unwrap
from trading.facts.opening import EnvelopeOpened, ShareGiven
from trading.kernel.calendar import Calendar
from trading.keys import schnorr
from trading.keys.group import lift
from trading.keys.opening import Share, check_share, combine, make_share
from trading.ledger.entry import Stamp
from trading.ledger.policy import Policy
from trading.opening import combined_point, decide_share, open_one, share_message
from trading.redecide import Redecider

__all__ = ["opening_rows"]

_TRUSTEES = (1, 2, 3)
_EACH = 0.002  # seconds an envelope may cost


class _Bench:
    """The steps of one opening; each leaves its result for the next."""

    def __init__(self, panel: Panel, envelopes: list[Sealed]) -> None:
        self.panel, self.envelopes = panel, envelopes
        self.tender = sealed_tender(panel, envelopes)
        self.bind = self.tender.opening_bind(Stage.PRICE)
        self.lifted: list[bytes] = []
        self.given: list[Share] = []
        self.points: list[bytes] = []
        self.deks: list[bytes] = []
        self.facts: list[EnvelopeOpened] = []

    def lift(self) -> None:
        self.lifted = [lift(item.prefix.enc) for item in self.envelopes]

    def make(self) -> None:
        secrets = self.panel.shares
        self.given = [make_share(n, secrets[n - 1], self.lifted, self.bind) for n in _TRUSTEES]

    def check(self) -> None:
        for share in self.given:
            check_share(share, self.panel.seat.committee, self.lifted, self.bind)

    def combine(self) -> None:
        committee = self.panel.seat.committee
        places = range(len(self.envelopes))
        self.points = [combine(self.given, committee, place) for place in places]

    def unwrap(self) -> None:
        address = self.panel.address(Stage.PRICE)
        pairs = zip(self.envelopes, self.points, strict=True)
        self.deks = [unwrap(item.prefix, point, address) for item, point in pairs]

    def content(self) -> None:
        for item, dek in zip(self.envelopes, self.deks, strict=True):
            opened = open_envelope(item.prefix, dek, b"", [item.body])
            if opened.certified is None:
                raise SystemExit("an envelope without its bidder's signature")

    def shares_by_rule(self) -> None:
        for share in self.given:
            message = share_message(self.bind, share)
            signature = schnorr.sign(self.panel.secrets[share.index - 1], message)
            fact = decide_share(self.tender, Stage.PRICE, share, signature)
            if not isinstance(fact, ShareGiven):
                raise SystemExit("a share was blamed")
            self.tender.shares[Stage.PRICE, share.index] = fact

    def open_by_rule(self) -> None:
        """As the host's desk does it, without the ledger between."""
        self.facts = []
        for place, bid in enumerate(self.tender.final(Stage.PRICE)):
            combined = combined_point(self.tender, Stage.PRICE, place)
            fact = open_one(self.tender, bid, combined, [self.envelopes[place].body])
            if not isinstance(fact, EnvelopeOpened):
                raise SystemExit("an envelope did not open")
            self.facts.append(fact)

    def open_again(self) -> None:
        """As the audit does it: every opening decided anew."""
        bodies = {item.prefix.eid: item.body for item in self.envelopes}

        def body(eid: str) -> Iterator[bytes]:
            yield bodies[eid]

        policy = Policy((), {}, {}, "none")
        redecider = Redecider(Calendar.of_china(), body, policy, lambda _: b"", Charter(1, {}))
        stamp = Stamp(0, datetime(2026, 1, 1, tzinfo=UTC), "", 0, "", "")
        for fact in self.facts:
            redecider.check(self.tender, fact, stamp)


def opening_rows(panel: Panel, envelopes: list[Sealed], rounds: int) -> list[Row]:
    bench = _Bench(panel, envelopes)
    steps: dict[str, Callable[[], object]] = {
        "lift": bench.lift,
        "make 3 shares with proofs": bench.make,
        "check 3 shares": bench.check,
        "combine": bench.combine,
        "unwrap": bench.unwrap,
        "decrypt, content, CMS signature": bench.content,
    }
    ruled: dict[str, Callable[[], object]] = {
        "by the rules: decide_share, 3 times": bench.shares_by_rule,
        "by the rules: combined_point, open_one": bench.open_by_rule,
        "by the audit: every opening redecided": bench.open_again,
    }
    spent: dict[str, list[float]] = {name: [] for name in steps | ruled}
    for _ in range(rounds):
        for name, step in (steps | ruled).items():
            spent[name].append(measured(step).cpu)
    cost = {name: median(times) for name, times in spent.items()}
    total, allowed = sum(cost[name] for name in steps), _EACH * len(envelopes)
    rows = [
        Row(name, amount(cost[name]), "of all", amount(total), cost[name] / total) for name in steps
    ]
    rows.append(Row("all", amount(total), aim=f"≤ {amount(allowed)}", met=total <= allowed))
    crypto = {
        "by the rules: decide_share, 3 times": ("lift", "check 3 shares"),
        "by the rules: combined_point, open_one": tuple(steps)[3:],
        "by the audit: every opening redecided": tuple(steps)[3:],
    }
    for name in ruled:
        limit = sum(cost[step] for step in crypto[name])
        row = Row(name, amount(cost[name]), "its steps alone", amount(limit), cost[name] / limit)
        rows.append(row)
    return rows
