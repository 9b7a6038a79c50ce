"""定标委员会 an award committee's life: formed, ballot after ballot, result, signatures. Pure.

It knows the panel's candidates and nothing else of the evaluation; each fact is checked by the same
rule when it is written and whenever anybody reads it again.
"""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from trading.award_method import AwardMethod, Standing, Verdict
from trading.awards import AWARDS
from trading.draw import Draw
from trading.facts.award import Awarded, Candidate
from trading.facts.awarding import (
    AwardCommitteeFormed,
    AwardConcluded,
    AwarderReplaced,
    AwardPresumed,
    AwardSigned,
    BallotForfeited,
    BallotOpened,
    BallotSealed,
    Choice,
)
from trading.facts.draw import Group, Option
from trading.facts.panel import MemberReplaced, PanelFormed
from trading.kernel.canonical import canonical, is_digest, sha256
from trading.kernel.errors import AwardRefusal
from trading.kernel.machine import Machine
from trading.ledger.entry import Stamp
from trading.ledger.fact import Fact
from trading.tender import Phase, Tender

__all__ = [
    "AWARDING_MACHINE",
    "LOTS",
    "Awarding",
    "AwardingPhase",
    "Committee",
    "ballot_digest",
    "check_awarding",
    "concluded_award",
    "record_digest",
    "seated_by",
    "stream_of_award",
]

_LEAST = 5  # members, odd
LOTS = "award"  # the purpose of a draw of winners
_BALLOT = b"kaifeng award ballot v1\n"
_RECORD = b"kaifeng award record v1\n"


class AwardingPhase(StrEnum):
    NEW = "award-new"  # 未组建
    VOTING = "award-voting"  # 定标中
    SIGNING = "award-signing"  # 签字中


AWARDING_MACHINE: Machine[AwardingPhase] = Machine(
    AwardingPhase.NEW,
    [
        (AwardingPhase.NEW, AwardCommitteeFormed, AwardingPhase.VOTING),
        (AwardingPhase.VOTING, BallotSealed, AwardingPhase.VOTING),
        (AwardingPhase.VOTING, BallotOpened, AwardingPhase.VOTING),
        (AwardingPhase.VOTING, BallotForfeited, AwardingPhase.VOTING),
        (AwardingPhase.VOTING, AwarderReplaced, AwardingPhase.VOTING),
        (AwardingPhase.VOTING, AwardConcluded, AwardingPhase.SIGNING),
        (AwardingPhase.SIGNING, AwardPresumed, AwardingPhase.SIGNING),
        (AwardingPhase.SIGNING, AwardSigned, AwardingPhase.SIGNING),
        (AwardingPhase.VOTING, AwardCommitteeFormed, AwardingPhase.VOTING),
        (AwardingPhase.SIGNING, AwardCommitteeFormed, AwardingPhase.VOTING),
    ],
)


class Awarding(msgspec.Struct):
    """State of one committee. Rounds count from 0; seals and ballots by member."""

    tender: str
    phase: AwardingPhase = AWARDING_MACHINE.start
    height: int = 0
    members: tuple[str, ...] = ()
    seals: list[dict[str, str]] = []
    ballots: list[dict[str, tuple[Choice, ...]]] = []
    concluded: AwardConcluded | None = None
    signed: set[str] = set()
    presumed: set[str] = set()
    former: dict[str, str] = {}  # why they left
    formed_at: datetime | None = None

    def apply(self, fact: Fact, stamp: Stamp) -> None:
        self.phase = AWARDING_MACHINE.after(self.phase, type(fact))
        match fact:
            case AwardCommitteeFormed():
                self._begin(fact, stamp)
            case BallotSealed():
                self._round(self.seals, fact.round)[stamp.actor] = fact.digest
            case BallotOpened():
                self._round(self.ballots, fact.round)[stamp.actor] = fact.choices
            case BallotForfeited():
                self._round(self.ballots, fact.round)[fact.member] = ()
            case AwardConcluded():
                self.concluded = fact
            case AwarderReplaced():
                self._replace(fact)
            case AwardPresumed():
                self.presumed.add(fact.member)
            case _:
                self.signed.add(stamp.actor)
                self.presumed.discard(stamp.actor)
        self.height = stamp.height + 1

    def _begin(self, fact: AwardCommitteeFormed, stamp: Stamp) -> None:
        """After another evaluation, another committee; nothing of the first one counts."""
        self.members, self.formed_at, self.concluded = fact.members, stamp.at, None
        for kept in (self.seals, self.ballots, self.signed, self.presumed, self.former):
            kept.clear()

    def is_of(self, tender: Tender) -> bool:
        """Formed for the candidates that stand now, not for those of an earlier evaluation."""
        since = tender.recommended_at
        return self.formed_at is not None and since is not None and self.formed_at > since

    def _replace(self, fact: AwarderReplaced) -> None:
        """The open round is voted anew; complete rounds stand as votes of the seat."""
        self.members = tuple(fact.member if m == fact.gone else m for m in self.members)
        self.former[fact.gone] = fact.ground
        del self.seals[self.round :], self.ballots[self.round :]

    def _round(self, rounds: list[dict[str, Any]], number: int) -> dict[str, Any]:
        if number == len(rounds):
            rounds.append({})
        return rounds[number]

    @property
    def round(self) -> int:
        """The one that is open."""
        return sum(len(ballots) >= len(self.members) for ballots in self.ballots)

    @property
    def sealed(self) -> dict[str, str]:
        """Of the open round, by member."""
        return self.seals[self.round] if self.round < len(self.seals) else {}

    @property
    def opened(self) -> dict[str, tuple[Choice, ...]]:
        """The same, of ballots that are open."""
        return self.ballots[self.round] if self.round < len(self.ballots) else {}

    @property
    def have_all_voted(self) -> bool:
        return len(self.sealed) >= len(self.members)

    @property
    def is_signed(self) -> bool:
        """By all, or presumed for who refuses to say anything; by more than half in any case."""
        everybody = self.signed | self.presumed >= set(self.members)
        return self.concluded is not None and everybody and len(self.signed) * 2 > len(self.members)


class Committee(msgspec.Struct, frozen=True):
    """The committee with its tender; `panel`: who evaluated; `draw` of the winners, if any."""

    awarding: Awarding
    tender: Tender
    panel: frozenset[str] = frozenset()
    draw: Draw | None = None

    @property
    def method(self) -> AwardMethod:
        if not self.tender.drafted.award:
            raise AwardRefusal(problem="本项目不采用评定分离 / award is not separated here")
        return AWARDS[self.tender.drafted.award]

    def verdict(self, lot: int) -> Verdict:
        return self.method.decide(self.standing(lot))

    def standing(self, lot: int) -> Standing:
        awarding = self.awarding
        complete = awarding.ballots[: awarding.round]
        ballots = tuple(
            {m: c.eid for m, choices in rounds.items() for c in choices if c.lot == lot}
            for rounds in complete
        )
        return Standing(lot, self.candidates(lot), awarding.members, ballots, self._drawn(lot))

    def candidates(self, lot: int) -> tuple[Candidate, ...]:
        """Of the panel's ranking the first ones that the law lets be candidates; of one that ranks
        nobody, all.
        """
        recommended, statute = self.tender.recommended, self.tender.procedure.candidates
        ranking = recommended.ranking if recommended else ()
        own = [item for item in ranking if item.lot == lot]
        published = self.tender.published_at
        if statute and published and all(item.rank for item in own):
            limit = statute.at(published).number
            own = [item for item in own if item.rank <= limit]
        return tuple(sorted(own, key=lambda item: self.tender.received[item.eid].index))

    def open_lots(self) -> list[int]:
        """Lots that this method has not decided yet."""
        return [lot for lot in self.tender.live_lots if not self.verdict(lot).eid]

    def _drawn(self, lot: int) -> str:
        draw = self.draw
        if draw is None or not self._is_for_award(draw):
            return ""
        drawn = draw.decided.drawn if draw.decided else ()
        return next((item.codes[0] for item in drawn if item.group == str(lot)), "")

    def _is_for_award(self, draw: Draw) -> bool:
        """For this tender, among exactly its candidates, announced after the panel had spoken."""
        options, groups = self.lots()
        since = self.tender.recommended_at
        return (
            draw.decided is not None
            and draw.terms.purpose == LOTS
            and draw.terms.tender == self.tender.id
            and (draw.terms.options, draw.terms.groups) == (options, groups)
            and since is not None
            and draw.announced_at is not None
            and draw.announced_at > since
        )

    def lots(self) -> tuple[tuple[Option, ...], tuple[Group, ...]]:
        """The terms of the draw of winners."""
        options = tuple(
            Option(item.eid, (str(lot),))
            for lot in self.tender.live_lots
            for item in self.candidates(lot)
        )
        return options, tuple(Group(str(lot), 1, str(lot)) for lot in self.tender.live_lots)


def seated_by(fact: Fact) -> set[str]:
    """Whom a fact of a panel seats: nobody of them awards."""
    match fact:
        case PanelFormed():
            return {member.party for member in fact.members}
        case MemberReplaced():
            return {fact.member.party}
        case _:
            return set()


def stream_of_award(tender: str) -> str:
    return f"award:{tender}"


def ballot_digest(member: str, number: int, choices: tuple[Choice, ...], salt: str) -> str:
    whole = {"choices": choices, "member": member, "round": number, "salt": salt}
    return sha256(_BALLOT, canonical(whole)).hex()


def record_digest(concluded: AwardConcluded) -> str:
    """What every member signs."""
    return sha256(_RECORD, canonical(concluded)).hex()


def concluded_award(committee: Committee, draw: str = "") -> AwardConcluded:
    """AwardRefusal while a lot is open."""
    verdicts = {lot: committee.verdict(lot) for lot in committee.tender.live_lots}
    waiting = [str(lot) for lot, verdict in verdicts.items() if not verdict.eid]
    if waiting:
        raise AwardRefusal(problem=f"标段 {'、'.join(waiting)} 尚未定标 / lots are still open")
    awards = tuple(Awarded(lot, verdict.eid) for lot, verdict in verdicts.items())
    record = tuple(f"标段 {lot}：{verdict.text}" for lot, verdict in verdicts.items())
    return AwardConcluded(awards=awards, record=record, draw=draw)


def check_awarding(committee: Committee, fact: Fact, actor: str) -> None:
    """A coded refusal unless this fact may come now, from this party."""
    AWARDING_MACHINE.after(committee.awarding.phase, type(fact))
    if committee.tender.suspended_at:
        raise AwardRefusal(problem="项目已暂停 / the tender is suspended")
    is_new = isinstance(fact, AwardCommitteeFormed)
    if is_new == committee.awarding.is_of(committee.tender):
        problem = "已有定标委员会 / there is one" if is_new else "评标已重做，须另组 / another one"
        raise AwardRefusal(problem=problem)
    _RULES[type(fact)](committee, fact, actor)


def _check_formed(committee: Committee, fact: AwardCommitteeFormed, actor: str) -> None:
    members, tender = fact.members, committee.tender
    problems = [
        (actor != tender.owner, "由招标人组建 / the owner forms it"),
        (
            tender.phase not in (Phase.RECOMMENDED, Phase.PUBLICITY),
            "评标结束后组建 / once the panel has recommended",
        ),
        (
            len(members) < _LEAST or len(members) % 2 == 0,
            f"至少 {_LEAST} 人且为单数 / at least {_LEAST}, and odd",
        ),
        (len(set(members)) != len(members), "成员重复 / a member twice"),
        (
            not committee.panel.isdisjoint(members),
            "评标委员会成员不得定标 / who evaluated does not award",
        ),
        (
            committee.method.ranked and not all(item.rank for item in _ranking(tender)),
            "须有排名 / needs a ranking",
        ),
    ]
    for holds, problem in problems:
        if holds:
            raise AwardRefusal(problem=problem)


def _ranking(tender: Tender) -> tuple[Candidate, ...]:
    return tender.recommended.ranking if tender.recommended else ()


def _check_member(committee: Committee, actor: str) -> None:
    if actor not in committee.awarding.members:
        raise AwardRefusal(problem=f"{actor} 不是定标委员会成员 / not of the committee")


def _check_sealed(committee: Committee, fact: BallotSealed, actor: str) -> None:
    _check_member(committee, actor)
    awarding = committee.awarding
    if not committee.method.votes or not committee.open_lots():
        raise AwardRefusal(problem="无需投票 / there is nothing to vote on")
    is_open = fact.round == awarding.round
    if not is_open or actor in awarding.sealed or not is_digest(fact.digest):
        raise AwardRefusal(problem=f"轮次不符或已投票 / round {awarding.round}, or voted already")


def _check_opened(committee: Committee, fact: BallotOpened, actor: str) -> None:
    _check_member(committee, actor)
    awarding = committee.awarding
    if fact.round != awarding.round or not awarding.have_all_voted:
        raise AwardRefusal(problem="尚未全部投票 / not all have voted")
    digest = ballot_digest(actor, fact.round, fact.choices, fact.salt)
    if actor in awarding.opened or digest != awarding.sealed[actor]:
        raise AwardRefusal(problem="选票与封存时不同 / not the ballot that was sealed")
    lots = committee.open_lots()
    if [choice.lot for choice in fact.choices] != lots:
        raise AwardRefusal(problem=f"每个标段一票 / one vote for each of {lots}")
    for choice in fact.choices:  # one for nobody who stands is a vote that counts for nobody
        if not choice.reason.strip():
            raise AwardRefusal(problem="须写明理由 / say why")


def _check_forfeited(committee: Committee, fact: BallotForfeited, _: str) -> None:
    awarding = committee.awarding
    is_due = fact.round == awarding.round and awarding.have_all_voted
    if not is_due or fact.member not in awarding.members or fact.member in awarding.opened:
        raise AwardRefusal(problem="并非全部投票后未开票 / all must have voted, and it not opened")


def _check_concluded(committee: Committee, fact: AwardConcluded, _: str) -> None:
    if fact != concluded_award(committee, fact.draw):
        raise AwardRefusal(problem="与定标方法得出的结果不同 / not what the method gives")


def _check_signed(committee: Committee, fact: AwardSigned, actor: str) -> None:
    _check_member(committee, actor)
    concluded = committee.awarding.concluded
    if concluded is None or fact.digest != record_digest(concluded):
        raise AwardRefusal(problem="签署的不是这份记录 / another record")


def _check_replaced(committee: Committee, fact: AwarderReplaced, actor: str) -> None:
    awarding = committee.awarding
    known = {*awarding.members, *awarding.former, *committee.panel}
    if actor != committee.tender.owner or awarding.opened or fact.gone not in awarding.members:
        problem = "由招标人在开票前更换 / by the owner, before a ballot is opened"
        raise AwardRefusal(problem=problem)
    if fact.member in known or not fact.ground.strip():
        raise AwardRefusal(problem="须是新成员，并写明理由 / a new member, and a ground")


def _check_presumed(committee: Committee, fact: AwardPresumed, _: str) -> None:
    awarding = committee.awarding
    if fact.member not in set(awarding.members) - awarding.signed - awarding.presumed:
        raise AwardRefusal(problem="已签字或不是成员 / signed, or not a member")


_RULES: dict[type[Fact], Callable[[Committee, Any, str], None]] = {
    AwarderReplaced: _check_replaced,
    AwardPresumed: _check_presumed,
    AwardCommitteeFormed: _check_formed,
    BallotSealed: _check_sealed,
    BallotOpened: _check_opened,
    BallotForfeited: _check_forfeited,
    AwardConcluded: _check_concluded,
    AwardSigned: _check_signed,
}
