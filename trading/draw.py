"""抽取 a draw's life: announced, committed to, bound to the ledger's root, revealed, decided.

Each fact is checked by the same rule when it is written and whenever anybody reads it again.
"""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from trading.facts.draw import (
    EXPERTS,
    DrawAnnounced,
    DrawCommitted,
    DrawDecided,
    DrawRevealed,
    DrawRooted,
    DrawVoided,
    NamesUnsealed,
    StandInCalled,
    TrusteeCommitted,
    TrusteeRevealed,
    Unsealing,
)
from trading.kernel.canonical import is_digest
from trading.kernel.errors import DrawRefusal
from trading.kernel.machine import Machine
from trading.keys import schnorr
from trading.ledger.checkpoint import Checkpoint
from trading.ledger.entry import Stamp
from trading.ledger.fact import Fact
from trading.ledger.note import Note
from trading.lots import (
    check_enough,
    commitment,
    draw_digest,
    drawn,
    follower,
    sealed_name,
    seed_of,
)

__all__ = [
    "DRAW_MACHINE",
    "TRUSTEE",
    "Draw",
    "DrawPhase",
    "check_announced",
    "check_draw",
    "contribution_message",
    "decided_draw",
    "stand_in",
    "stream_of_draw",
]

TRUSTEE = "trustee:"
_LEAST = 2  # contributors
_MOST_OPTIONS = 20_000
REASONS = ("refused", "absent", "recused")  # 拒绝、未到、回避


class DrawPhase(StrEnum):
    NEW = "draw-new"  # 未公告
    COMMITTING = "draw-committing"  # 承诺中
    ROOTED = "draw-rooted"  # 已绑定账本
    DECIDED = "draw-decided"  # 已抽取
    VOID = "draw-void"  # 作废


DRAW_MACHINE: Machine[DrawPhase] = Machine(
    DrawPhase.NEW,
    [
        (DrawPhase.NEW, DrawAnnounced, DrawPhase.COMMITTING),
        (DrawPhase.COMMITTING, DrawCommitted, DrawPhase.COMMITTING),
        (DrawPhase.COMMITTING, TrusteeCommitted, DrawPhase.COMMITTING),
        (DrawPhase.COMMITTING, DrawVoided, DrawPhase.VOID),
        (DrawPhase.COMMITTING, DrawRooted, DrawPhase.ROOTED),
        (DrawPhase.ROOTED, DrawRevealed, DrawPhase.ROOTED),
        (DrawPhase.ROOTED, TrusteeRevealed, DrawPhase.ROOTED),
        (DrawPhase.ROOTED, DrawVoided, DrawPhase.VOID),
        (DrawPhase.ROOTED, DrawDecided, DrawPhase.DECIDED),
        (DrawPhase.DECIDED, StandInCalled, DrawPhase.DECIDED),
        (DrawPhase.DECIDED, DrawVoided, DrawPhase.VOID),
        (DrawPhase.DECIDED, NamesUnsealed, DrawPhase.DECIDED),
    ],
)


class Draw(msgspec.Struct):
    """State of one draw; commitments and secrets by contributor, hex."""

    id: str
    phase: DrawPhase = DRAW_MACHINE.start
    height: int = 0
    announced: DrawAnnounced | None = None
    commitments: dict[str, str] = {}
    announced_at: datetime | None = None
    last_commitment: int = -1  # its index in the ledger
    head: Checkpoint | None = None
    note: str = ""
    secrets: dict[str, str] = {}
    decided: DrawDecided | None = None
    present: dict[str, list[str]] = {}  # by group
    gone: dict[str, str] = {}  # why
    stand_ins: list[StandInCalled] = []
    names: list[Unsealing] = []

    def apply(self, fact: Fact, stamp: Stamp) -> None:
        self.phase = DRAW_MACHINE.after(self.phase, type(fact))
        step = _STEPS.get(type(fact))
        if step:
            step(self, fact, stamp)
        self.height = stamp.height + 1

    @property
    def terms(self) -> DrawAnnounced:
        if self.announced is None:
            raise DrawRefusal(problem=f"{self.id}：没有公告 / never announced")
        return self.announced

    @property
    def absent(self) -> list[str]:
        """Who has not done yet what the phase asks for."""
        if self.decided:
            return []
        done = self.commitments if self.phase is DrawPhase.COMMITTING else self.secrets
        return [name for name in self.terms.contributors if name not in done]

    @property
    def seed(self) -> bytes:
        if self.head is None or self.absent:
            waiting = "、".join(self.absent)
            raise DrawRefusal(problem=f"尚未揭示 / not revealed yet: {waiting}")
        secrets = {name: bytes.fromhex(secret) for name, secret in self.secrets.items()}
        return seed_of(draw_digest(self.terms), self.head.root, self.head.size, secrets)


def stream_of_draw(draw: str) -> str:
    return f"draw:{draw}"


def contribution_message(draw: Draw, act: str, value: str) -> bytes:
    """What a trustee signs."""
    digest = draw_digest(draw.terms).hex()
    return f"kaifeng draw contribution v1\n{act}\n{digest}\n{value}\n".encode()


def decided_draw(draw: Draw) -> DrawDecided:
    seed = draw.seed
    return DrawDecided(seed=seed.hex(), drawn=drawn(seed, draw.terms.options, draw.terms.groups))


def stand_in(draw: Draw, gone: str, reason: str) -> StandInCalled:
    """The next in order; no chance is needed, and none can be tried again."""
    if draw.terms.purpose != EXPERTS:
        raise DrawRefusal(problem="只有专家可以补抽 / only experts have stand-ins")
    if reason not in REASONS:
        raise DrawRefusal(problem=f"理由 / reason: {'、'.join(REASONS)}")
    group, code = follower(draw.seed, draw.terms, draw.present, draw.gone, gone)
    return StandInCalled(group=group, gone=gone, reason=reason, code=code)


def check_draw(draw: Draw, fact: Fact, actor: str) -> None:
    """DrawRefusal unless this fact may come now; IllegalTransition if none of its kind may."""
    DRAW_MACHINE.after(draw.phase, type(fact))
    rule = _RULES.get(type(fact))
    if rule:
        rule(draw, fact, actor)


def check_announced(fact: DrawAnnounced) -> None:
    """Whether a draw could be fair at all; by itself, before anything is known of the tender."""
    codes = {option.code for option in fact.options}
    seats = sum(group.count for group in fact.groups)
    trustees = [name for name in fact.contributors if name.startswith(TRUSTEE)]
    problems = [
        (fact.draw.rpartition(":")[0] != f"{fact.tender}:{fact.purpose}", "编号 / id"),
        (not trustees, "须有受托人出随机数 / a trustee must contribute"),
        (len(codes) != len(fact.options) or "" in codes, "选项重复或为空 / options repeat"),
        (
            fact.purpose == EXPERTS and seats >= len(codes),
            "备选不多于席位 / no more options than seats",
        ),
        (len(codes) > _MOST_OPTIONS, f"选项过多 / more than {_MOST_OPTIONS} options"),
        (
            len({group.name for group in fact.groups}) != len(fact.groups),
            "组名重复 / groups repeat",
        ),
        (not fact.groups, "没有分组 / no groups"),
        (
            any(not 0 <= g.away <= g.count or g.count < 1 for g in fact.groups),
            "组的人数 / counts of a group",
        ),
        (len(set(fact.contributors)) < _LEAST, f"至少 {_LEAST} 方出随机数 / contributors"),
        (len(set(fact.contributors)) != len(fact.contributors), "重复 / a contributor repeats"),
    ]
    for holds, problem in problems:
        if holds:
            raise DrawRefusal(problem=problem)
    check_enough(fact.options, fact.groups)


def _check_announced(draw: Draw, fact: DrawAnnounced, _: str) -> None:
    if fact.draw != draw.id:
        raise DrawRefusal(problem="编号 / id")
    check_announced(fact)


def _check_committed(draw: Draw, fact: DrawCommitted, actor: str) -> None:
    _check_party(actor)
    _check_turn(draw, actor)
    _check_hex(fact.commitment)


def _check_trustee_committed(draw: Draw, fact: TrusteeCommitted, _: str) -> None:
    _check_turn(draw, TRUSTEE + fact.trustee)
    _check_hex(fact.commitment)
    _check_signature(draw, fact.trustee, "commit", fact.commitment, fact.signature)


def _check_rooted(draw: Draw, fact: DrawRooted, _: str) -> None:
    if draw.absent:
        raise DrawRefusal(problem=f"尚未承诺 / not committed yet: {'、'.join(draw.absent)}")
    if _head(fact).size <= draw.last_commitment:
        raise DrawRefusal(problem="检查点早于最后的承诺 / the head is older than the commitments")


def _check_revealed(draw: Draw, fact: DrawRevealed, actor: str) -> None:
    _check_party(actor)
    _check_opening(draw, actor, fact.secret)


def _check_trustee_revealed(draw: Draw, fact: TrusteeRevealed, _: str) -> None:
    _check_opening(draw, TRUSTEE + fact.trustee, fact.secret)
    _check_signature(draw, fact.trustee, "reveal", fact.secret, fact.signature)


def _check_decided(draw: Draw, fact: DrawDecided, _: str) -> None:
    if fact != decided_draw(draw):
        raise DrawRefusal(problem="与种子得出的结果不同 / not what the seed gives")


def _check_voided(draw: Draw, fact: DrawVoided, _: str) -> None:
    """Somebody is absent; or, of a draw that is decided, nobody is left who could stand in."""
    if draw.decided:
        left = {option.code for option in draw.terms.options} - draw.gone.keys()
        left -= {code for codes in draw.present.values() for code in codes}
        if left or not draw.gone or fact.absent or not fact.ground.strip():
            raise DrawRefusal(problem="抽取已定，尚有可补人员 / decided, and stand-ins are left")
        return
    if not fact.ground.strip() or not fact.absent or list(fact.absent) != draw.absent:
        raise DrawRefusal(problem=f"作废须写明缺席者和理由 / name who is absent: {draw.absent}")


def _check_stand_in(draw: Draw, fact: StandInCalled, _: str) -> None:
    if fact != stand_in(draw, fact.gone, fact.reason):
        raise DrawRefusal(problem="补抽须按既定顺序 / not the next in order")


def _check_unsealed(draw: Draw, fact: NamesUnsealed, _: str) -> None:
    known = {code for codes in draw.present.values() for code in codes} | draw.gone.keys()
    for name in fact.names:
        _check_hex(name.salt)
        code = sealed_name(draw.id, name.who, name.name, bytes.fromhex(name.salt))
        if code != name.code or code not in known:
            raise DrawRefusal(problem=f"{name.name} 与编号不符或未被抽中 / not behind that code")


def _check_party(actor: str) -> None:
    if actor.startswith(TRUSTEE):
        raise DrawRefusal(problem="受托人须自行签名 / a trustee signs for itself")


def _check_turn(draw: Draw, contributor: str) -> None:
    if contributor not in draw.absent:
        raise DrawRefusal(problem=f"{contributor} 不在名单或已作出 / not expected, or done already")


def _check_opening(draw: Draw, contributor: str, secret: str) -> None:
    _check_turn(draw, contributor)
    _check_hex(secret)
    said = commitment(draw_digest(draw.terms), contributor, bytes.fromhex(secret))
    if said != draw.commitments[contributor]:
        raise DrawRefusal(problem=f"{contributor} 揭示与承诺不符 / differs from its commitment")


def _check_signature(draw: Draw, trustee: str, act: str, value: str, signature: str) -> None:
    message = contribution_message(draw, act, value)
    try:
        holds = schnorr.verify(bytes.fromhex(trustee), message, bytes.fromhex(signature))
    except ValueError:
        holds = False
    if not holds:
        raise DrawRefusal(problem=f"受托人 {trustee[:12]} 的签名不符 / its signature is wrong")


def _check_hex(text: str) -> None:
    if not is_digest(text):
        raise DrawRefusal(problem="须为 64 位小写十六进制 / lower-case hex digits")


def _head(fact: DrawRooted) -> Checkpoint:
    return Checkpoint.parse(Note.parse(fact.note).text)


def _announced(draw: Draw, fact: DrawAnnounced, stamp: Stamp) -> None:
    draw.announced, draw.announced_at = fact, stamp.at


def _committed(draw: Draw, fact: DrawCommitted, stamp: Stamp) -> None:
    draw.commitments[stamp.actor] = fact.commitment
    draw.last_commitment = stamp.index


def _trustee_committed(draw: Draw, fact: TrusteeCommitted, stamp: Stamp) -> None:
    draw.commitments[TRUSTEE + fact.trustee] = fact.commitment
    draw.last_commitment = stamp.index


def _rooted(draw: Draw, fact: DrawRooted, _: Stamp) -> None:
    draw.head, draw.note = _head(fact), fact.note


def _revealed(draw: Draw, fact: DrawRevealed, stamp: Stamp) -> None:
    draw.secrets[stamp.actor] = fact.secret


def _trustee_revealed(draw: Draw, fact: TrusteeRevealed, _: Stamp) -> None:
    draw.secrets[TRUSTEE + fact.trustee] = fact.secret


def _decided(draw: Draw, fact: DrawDecided, _: Stamp) -> None:
    draw.decided = fact
    draw.present = {item.group: list(item.codes) for item in fact.drawn}


def _stood_in(draw: Draw, fact: StandInCalled, _: Stamp) -> None:
    group = draw.present[fact.group]
    group[group.index(fact.gone)] = fact.code
    draw.gone[fact.gone] = fact.reason
    draw.stand_ins.append(fact)


def _unsealed(draw: Draw, fact: NamesUnsealed, _: Stamp) -> None:
    draw.names += fact.names


_RULES: dict[type[Fact], Callable[[Draw, Any, str], None]] = {
    DrawAnnounced: _check_announced,
    DrawCommitted: _check_committed,
    TrusteeCommitted: _check_trustee_committed,
    DrawRooted: _check_rooted,
    DrawRevealed: _check_revealed,
    TrusteeRevealed: _check_trustee_revealed,
    DrawDecided: _check_decided,
    DrawVoided: _check_voided,
    StandInCalled: _check_stand_in,
    NamesUnsealed: _check_unsealed,
}
_STEPS: dict[type[Fact], Callable[[Draw, Any, Stamp], None]] = {
    DrawAnnounced: _announced,
    DrawCommitted: _committed,
    TrusteeCommitted: _trustee_committed,
    DrawRooted: _rooted,
    DrawRevealed: _revealed,
    TrusteeRevealed: _trustee_revealed,
    DrawDecided: _decided,
    StandInCalled: _stood_in,
    NamesUnsealed: _unsealed,
}
