"""Facts of a panel 评标委员会 at work, in the stream `panel:` of its tender."""

import msgspec

from trading.facts.rubric import Mark, ReviewStage
from trading.kernel.calendar import NATURAL, Pace
from trading.kernel.party import Role
from trading.ledger.fact import Fact

__all__ = [
    "ChairVoted",
    "ClarificationAnswered",
    "ClarificationAsked",
    "ConsentPresumed",
    "DissentWritten",
    "Member",
    "MemberReplaced",
    "MemberSignedIn",
    "PanelConcluded",
    "PanelFormed",
    "PanelSeated",
    "ReportSealed",
    "ReportSigned",
    "ScoreExplained",
    "SheetOpened",
    "SheetSealed",
    "StageConcluded",
    "StageReopened",
    "TechnicalBlinded",
    "TechnicalUnblinded",
    "TimeAsked",
    "TimeExtended",
    "UndertakingGiven",
]

_EXPERT = frozenset({Role.EXPERT})


class Member(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`party` signs under a name that tells nothing; `code`: under which it was drawn, empty
    for the owner's representatives.
    """

    party: str
    seat: str
    code: str = ""


class PanelFormed(Fact, frozen=True, tag="panel.formed/1"):
    """`draw`: where the experts come from; `blind`: the technical review knows no bidders;
    `minutes`: for each stage, 0 for as long as it takes, at the tender's `pace`.
    """

    tender: str
    draw: str
    members: tuple[Member, ...]
    blind: bool = False
    minutes: int = 0
    pace: Pace = NATURAL


class MemberSignedIn(Fact, frozen=True, tag="panel.signed-in/1"):
    """签到 at a site."""

    by = _EXPERT
    site: str


class UndertakingGiven(Fact, frozen=True, tag="panel.undertaking-given/1"):
    """保密与廉洁承诺; digest of the text, hex."""

    by = _EXPERT
    text: str


class ChairVoted(Fact, frozen=True, tag="panel.chair-voted/1"):
    by = _EXPERT
    candidate: str


class PanelSeated(Fact, frozen=True, tag="panel.seated/1"):
    """All are there, and more than half chose the chair 评委组长."""

    chair: str


class MemberReplaced(Fact, frozen=True, tag="panel.member-replaced/1"):
    """更换成员: what the one who left has concluded is void (条例 48). `keeps`: stages that stay
    concluded, because the prices are known by now and they must not be reviewed with them.
    """

    gone: str
    member: Member
    ground: str
    keeps: tuple[ReviewStage, ...] = ()


class SheetSealed(Fact, frozen=True, tag="sheet.sealed/1"):
    """A member's finished sheet as a hash: nobody sees it before all have sealed theirs."""

    by = _EXPERT
    stage: ReviewStage
    digest: str


class SheetOpened(Fact, frozen=True, tag="sheet.opened/1"):
    by = _EXPERT
    stage: ReviewStage
    marks: tuple[Mark, ...]
    salt: str


class ScoreExplained(Fact, frozen=True, tag="sheet.score-explained/1"):
    """A member far from the others says why."""

    by = _EXPERT
    stage: ReviewStage
    bid: str
    item: str
    text: str


class StageConcluded(Fact, frozen=True, tag="panel.stage-concluded/1"):
    """`unexplained`: member, bid and item of scores far from the others that nobody explained."""

    stage: ReviewStage
    unexplained: tuple[tuple[str, str, str], ...] = ()


class StageReopened(Fact, frozen=True, tag="panel.stage-reopened/1"):
    """自由回退: this stage and those after it are done again."""

    by = _EXPERT
    stage: ReviewStage
    ground: str


class TimeAsked(Fact, frozen=True, tag="panel.time-asked/1"):
    """A member says that the time is short (条例 48)."""

    by = _EXPERT


class TimeExtended(Fact, frozen=True, tag="panel.time-extended/1"):
    minutes: int


class TechnicalBlinded(Fact, frozen=True, tag="panel.technical-blinded/1"):
    """暗标编号: under these codes, sorted, the technical bids are reviewed; `digest` of the salt
    behind them, hex. Every review has codes of its own.
    """

    digest: str
    codes: tuple[str, ...]


class TechnicalUnblinded(Fact, frozen=True, tag="panel.technical-unblinded/1"):
    """The salt behind the blind codes, hex, once the technical review is concluded."""

    salt: str


class ClarificationAsked(Fact, frozen=True, tag="clarification.asked/1"):
    """澄清 by the chair to "bidder 3"; `low_price`: the price must be explained."""

    by = _EXPERT
    question: str
    bid: str
    text: str
    minutes: int
    low_price: bool = False


class ClarificationAnswered(Fact, frozen=True, tag="clarification.answered/1"):
    """By the pseudonym that sealed the bid; `signature` hex, over the question and the answer."""

    question: str
    text: str
    signature: str


class DissentWritten(Fact, frozen=True, tag="report.dissent-written/1"):
    by = _EXPERT
    text: str


class ReportSealed(Fact, frozen=True, tag="report.sealed/1"):
    """评标报告: the digest of what everybody signs; `draws`: whose coefficients it uses."""

    digest: str
    draws: tuple[str, ...] = ()


class ReportSigned(Fact, frozen=True, tag="report.signed/1"):
    by = _EXPERT
    digest: str


class ConsentPresumed(Fact, frozen=True, tag="report.consent-presumed/1"):
    """拒绝签字又不书面说明: counts as consent (条例 53)."""

    member: str


class PanelConcluded(Fact, frozen=True, tag="panel.concluded/1"):
    """Everybody has signed, dissented, or is presumed to consent."""
