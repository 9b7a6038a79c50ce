"""专家·回避 the expert bank, who must stay away from which tender and why, and the pool of a draw.

Pure. Dossiers are private: the ledger holds their hashes, and counts of who was left out.
"""

import hmac
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime
from enum import StrEnum

import msgspec

from trading.facts.draw import AWAY, Option
from trading.facts.expert import ExpertAdmitted, ExpertRestored, ExpertSuspended
from trading.kernel.calendar import BEIJING
from trading.kernel.canonical import canonical, sha256
from trading.kernel.errors import DrawRefusal
from trading.ledger.entry import Stamp
from trading.ledger.fact import Fact
from trading.lots import sealed_name

__all__ = [
    "Bank",
    "Dossier",
    "Employment",
    "Pool",
    "Reason",
    "Wanted",
    "check_bank",
    "key_of",
    "pool_of",
    "reasons_against",
    "seal_of",
]

_DOSSIER = b"kaifeng expert dossier v1\n"
_YEARS = 3  # of past employment that still counts


class Reason(StrEnum):
    """Why an expert is left out of a draw; only how often each occurs is ever shown."""

    SUSPENDED = "suspended"  # 暂停
    UNAVAILABLE = "unavailable"  # 不可用
    EMPLOYER = "employer"  # 现任职单位
    PAST_EMPLOYER = "past-employer"  # 三年内任职单位
    SHAREHOLDER = "shareholder"  # 持股
    KIN = "kin"  # 近亲属
    SAME_REGION = "same-region"  # 同一地区


class Employment(msgspec.Struct, frozen=True):
    """`until` is the last day; None while it lasts."""

    organization: str
    until: date | None = None


class Dossier(msgspec.Struct, frozen=True, kw_only=True):
    """What the bank knows of a person; organizations by their id. `kin`: where declared close
    relatives work or hold shares.
    """

    who: str
    name: str
    salt: str
    employments: tuple[Employment, ...] = ()
    shares: tuple[str, ...] = ()
    kin: tuple[str, ...] = ()


def seal_of(dossier: Dossier) -> str:
    return sha256(_DOSSIER, canonical(dossier)).hex()


class Entry(msgspec.Struct):
    admitted: ExpertAdmitted
    suspended: ExpertSuspended | None = None

    def is_suspended(self, at: datetime) -> bool:
        until = self.suspended.until if self.suspended else None
        return self.suspended is not None and (until is None or at < until)


class Bank(msgspec.Struct):
    """A fold of the bank's stream."""

    height: int = 0
    experts: dict[str, Entry] = {}
    former: set[str] = set()  # seals that another dossier has replaced

    def apply(self, fact: Fact, stamp: Stamp) -> None:
        match fact:
            case ExpertAdmitted():
                old = self.experts.pop(fact.replaces, None)
                self.former |= {fact.replaces} - {""}
                self.experts[fact.seal] = Entry(fact, old.suspended if old else None)
            case ExpertSuspended():
                self.experts[fact.seal].suspended = fact
            case ExpertRestored():
                self.experts[fact.seal].suspended = None
            case _:
                pass
        self.height = stamp.height + 1


def check_bank(bank: Bank, fact: Fact) -> None:
    match fact:
        case ExpertAdmitted():
            _check_admitted(bank, fact)
        case ExpertSuspended() | ExpertRestored():
            if fact.seal not in bank.experts or not fact.ground.strip():
                problem = f"{fact.seal[:12]}：不在库中或没有理由 / not in the bank, or no ground"
                raise DrawRefusal(problem=problem)
        case _:
            raise DrawRefusal(problem=f"{type(fact).__name__} 不属于专家库 / not of the bank")


def _check_admitted(bank: Bank, fact: ExpertAdmitted) -> None:
    if fact.seal in bank.experts or (fact.replaces and fact.replaces not in bank.experts):
        raise DrawRefusal(problem=f"{fact.seal[:12]}：已在库中 / in the bank already")
    if not fact.specialities or not fact.region:
        raise DrawRefusal(problem="须有专业和地区 / speciality and region are needed")


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """For which draw a pool is needed. `parties`: owner, agency and, once they are known, bidders;
    `away_only`: the rule of the place asks that nobody comes from the tender's own region.
    """

    draw: str
    region: str
    parties: frozenset[str]
    specialities: tuple[str, ...]
    at: datetime
    away_only: bool = False
    unavailable: frozenset[str] = frozenset()  # by seal


class Pool(msgspec.Struct, frozen=True):
    """`recused` is public; `seals` says which expert stands behind a code, and is not."""

    options: tuple[Option, ...]
    recused: tuple[tuple[str, int], ...]
    seals: dict[str, str]


def pool_of(bank: Bank, dossiers: Mapping[str, Dossier], wanted: Wanted, key: bytes) -> Pool:
    """Every expert of the specialities is either an option or counted under the first reason that
    speaks against it. `key` makes the salts: whoever keeps it can open the names later.
    """
    counts: Counter[str] = Counter()
    options: list[Option] = []
    seals: dict[str, str] = {}
    for seal, entry in sorted(bank.experts.items()):
        fitting = [s for s in entry.admitted.specialities if s in wanted.specialities]
        if not fitting:
            continue
        reasons = _reasons(entry, dossiers[seal], wanted)
        if reasons:
            counts[reasons[0]] += 1
            continue
        dossier = dossiers[seal]
        salt = salt_of(key, wanted.draw, seal)
        code = sealed_name(wanted.draw, dossier.who, dossier.name, salt)
        away = [AWAY] if entry.admitted.region != wanted.region else []
        options.append(Option(code, (*fitting, *away)))
        seals[code] = seal
    options.sort(key=lambda option: option.code)
    return Pool(tuple(options), tuple(sorted(counts.items())), seals)


def salt_of(key: bytes, draw: str, seal: str) -> bytes:
    return hmac.digest(key, canonical({"draw": draw, "seal": seal}), "sha256")


def key_of(secret: bytes, nonce: str) -> bytes:
    """For one announcement: whoever asks with other words gets other codes, and learns nothing by
    comparing them.
    """
    return hmac.digest(secret, bytes.fromhex(nonce), "sha256")


def _reasons(entry: Entry, dossier: Dossier, wanted: Wanted) -> list[Reason]:
    own = {
        Reason.SUSPENDED: entry.is_suspended(wanted.at),
        Reason.UNAVAILABLE: entry.admitted.seal in wanted.unavailable,
        Reason.SAME_REGION: wanted.away_only and entry.admitted.region == wanted.region,
    }
    against = reasons_against(dossier, wanted.parties, wanted.at)
    return [reason for reason, holds in own.items() if holds] + against


def reasons_against(dossier: Dossier, parties: Collection[str], at: datetime) -> list[Reason]:
    """回避 by fact (法 37, 条例 46): asked again when the opening has shown who bids."""
    day = at.astimezone(BEIJING).date()
    since = _years_before(day)
    now = {job.organization for job in dossier.employments if not job.until or job.until >= day}
    past = {job.organization for job in dossier.employments if job.until and job.until >= since}
    facts: Iterable[tuple[Reason, Collection[str]]] = (
        (Reason.EMPLOYER, now),
        (Reason.PAST_EMPLOYER, past - now),
        (Reason.SHAREHOLDER, dossier.shares),
        (Reason.KIN, dossier.kin),
    )
    return [reason for reason, found in facts if not set(found).isdisjoint(parties)]


def _years_before(day: date) -> date:
    """The same day three years earlier; of a leap day, the last of February."""
    leap = day.month == 2 and day.day == 29
    return day.replace(year=day.year - _YEARS, day=28 if leap else day.day)
