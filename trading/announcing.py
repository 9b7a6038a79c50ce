"""抽取公告 who may announce which draw, when, and of what. Pure: the desk asks it before writing,
every reader of the ledger asks again.
"""

from collections.abc import Callable, Mapping, Sequence

import msgspec

from trading.awarding import LOTS, Awarding, Committee
from trading.draw import TRUSTEE, Draw, DrawPhase
from trading.facts.draw import EXPERTS, DrawAnnounced, Group, Option
from trading.kernel.errors import DrawRefusal
from trading.tender import Tender

__all__ = ["COEFFICIENT", "SEED", "Announcing", "check_announcing", "coefficient_terms"]

COEFFICIENT = "coefficient"  # the purpose of a draw of parameters
SEED = "seed"  # the group whose value is the draw's own seed


class Announcing(msgspec.Struct, frozen=True):
    """What stands beside an announcement. `actor`: empty for the platform; `earlier`: announced
    draws of the tender for the purpose; `trustees`: keys of the charter; `inspectors`: parties.
    """

    actor: str
    tender: Tender
    earlier: Sequence[Draw]
    trustees: frozenset[str]
    inspectors: frozenset[str]


def check_announcing(wanted: DrawAnnounced, beside: Announcing) -> None:
    """DrawRefusal for a draw that is not due, or that somebody could steer."""
    if beside.actor not in ("", beside.tender.owner):
        raise DrawRefusal(problem="由招标人或平台发起 / for the owner of the tender")
    if wanted.purpose not in _TERMS:
        raise DrawRefusal(problem=f"用途 / purpose: {'、'.join(_TERMS)}")
    _check_contributors(wanted, beside)
    _check_number(wanted, beside)
    _TERMS[wanted.purpose](wanted, beside.tender)


def _check_contributors(wanted: DrawAnnounced, beside: Announcing) -> None:
    """Trustees of the charter alone, and the supervising body beside them and the owner."""
    named = set(wanted.contributors)
    trustees = {n.removeprefix(TRUSTEE) for n in named if n.startswith(TRUSTEE)}
    strangers = trustees - beside.trustees
    if strangers:
        raise DrawRefusal(
            problem=f"不在章程内 / not of the charter: {'、'.join(sorted(strangers))}"
        )
    if not named & beside.inspectors:
        raise DrawRefusal(problem="须有监督人员出随机数 / the supervising body must contribute")


def _check_number(wanted: DrawAnnounced, beside: Announcing) -> None:
    """Nobody draws until the result suits: every earlier draw for the purpose was voided, except as
    many as further evaluations were ordered.
    """
    ordered = len(beside.tender.reopened) if wanted.purpose in (EXPERTS, LOTS) else 0
    decided = sum(one.phase is not DrawPhase.VOID for one in beside.earlier)
    is_next = wanted.draw.rpartition(":")[2] == str(len(beside.earlier) + 1)
    if not is_next or decided > ordered:
        raise DrawRefusal(
            problem=f"{wanted.draw}：已有同一用途的抽取 / there is such a draw already"
        )


def _check_experts(wanted: DrawAnnounced, tender: Tender) -> None:
    """As many as the documents ask for, the owner's own representatives among them."""
    seats = sum(group.count for group in wanted.groups) + wanted.owners
    if seats < tender.drafted.panel_size:
        least = tender.drafted.panel_size
        raise DrawRefusal(problem=f"招标文件要求至少 {least} 人 / the documents ask for {least}")


def _check_coefficients(wanted: DrawAnnounced, tender: Tender) -> None:
    """Of exactly what the documents say, once all bids are in."""
    if tender.closed is None or (wanted.options, wanted.groups) != coefficient_terms(
        tender.drafted.drawn
    ):
        problem = (
            "须在截标后、按招标文件所列系数抽取 / after the closing, of what the documents list"
        )
        raise DrawRefusal(problem=problem)


def _check_lots(wanted: DrawAnnounced, tender: Tender) -> None:
    """Among exactly the candidates that the panel has recommended."""
    lots = Committee(Awarding(tender.id), tender).lots()
    if tender.recommended is None or (wanted.options, wanted.groups) != lots:
        raise DrawRefusal(problem="须在推荐后、于候选人中抽取 / among the recommended candidates")


def coefficient_terms(
    wanted: Mapping[str, Sequence[str]],
) -> tuple[tuple[Option, ...], tuple[Group, ...]]:
    """Options `name=value` and a group for each name; the seed itself is drawn as `seed=`."""
    options = tuple(
        Option(f"{name}={value}", (name,))
        for name, values in wanted.items()
        for value in (values if name != SEED else ("",))
    )
    return options, tuple(Group(name, 1, name) for name in wanted)


_TERMS: dict[str, Callable[[DrawAnnounced, Tender], None]] = {
    EXPERTS: _check_experts,
    COEFFICIENT: _check_coefficients,
    LOTS: _check_lots,
}
