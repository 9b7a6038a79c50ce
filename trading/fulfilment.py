"""履约·归档 what follows the contract: the supplier's signature, amendments, performance, bonds,
archive. Pure; each fact is checked when it is written and whenever it is read.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from trading import statutes
from trading.envelope.identity import check_signature
from trading.facts.fulfilment import (
    ArchiveSealed,
    BondReturned,
    ContractAmended,
    ContractCountersigned,
    PerformanceRecorded,
    Side,
)
from trading.kernel.canonical import is_digest
from trading.kernel.errors import AwardRefusal, ContractDiffers
from trading.ledger.entry import Stamp
from trading.ledger.fact import Fact
from trading.tender import Phase, Tender

__all__ = ["Fulfilment", "check_fulfilment", "contract_message", "stream_of_contract"]

_HUNDRED = 100


class Fulfilment(msgspec.Struct):
    """A fold of the stream; amounts in fen by lot, as they are now."""

    height: int = 0
    countersigned: set[tuple[int, Side]] = set()
    amounts: dict[int, int] = {}
    records: list[PerformanceRecorded] = []
    returned: dict[str, BondReturned] = {}
    archive: ArchiveSealed | None = None

    def apply(self, fact: Fact, stamp: Stamp) -> None:
        match fact:
            case ContractCountersigned():
                self.countersigned.add((fact.lot, fact.side))
            case ContractAmended():
                self.amounts[fact.lot] = fact.amount
            case PerformanceRecorded():
                self.records.append(fact)
            case BondReturned():
                self.returned[fact.bidder_id] = fact
            case ArchiveSealed():
                self.archive = fact
            case _:
                pass
        self.height = stamp.height + 1


def stream_of_contract(tender: str) -> str:
    return f"contract:{tender}"


def contract_message(tender: Tender, lot: int) -> bytes:
    """What both sides sign with their certificates."""
    return f"kaifeng contract v1\n{tender.id}\n{lot}\n{tender.contracts[lot].digest}\n".encode()


def check_fulfilment(state: Fulfilment, tender: Tender, fact: Fact, actor: str) -> None:
    """AwardRefusal or ContractDiffers unless this fact may come now, from this party."""
    if tender.suspended_at:
        raise AwardRefusal(problem="项目已暂停 / the tender is suspended")
    if actor and actor != tender.owner:
        raise AwardRefusal(problem="由招标人记录 / the owner records it")
    _RULES[type(fact)](state, tender, fact)


def _check_countersigned(state: Fulfilment, tender: Tender, fact: ContractCountersigned) -> None:
    contract = tender.contracts.get(fact.lot)
    if contract is None or (fact.lot, fact.side) in state.countersigned:
        raise ContractDiffers(problem=f"标段 {fact.lot} 没有待签章的合同 / nothing to sign")
    try:
        signature = bytes.fromhex(fact.signature)
    except ValueError as error:
        raise ContractDiffers(problem="签名不是十六进制 / not hex") from error
    certified = check_signature(signature, contract_message(tender, fact.lot))
    owner, supplier = tender.drafted.buyer_id, contract.supplier_id
    number = owner if fact.side is Side.OWNER else supplier
    if not certified.speaks_for(number, tender.drafted.authorities):
        problem = f"不是 {number} 的证书 / not the certificate of the {fact.side}"
        raise ContractDiffers(problem=problem)


def _check_amended(_: Fulfilment, tender: Tender, fact: ContractAmended) -> None:
    contract = tender.contracts.get(fact.lot)
    if (
        contract is None
        or not fact.ground.strip()
        or not is_digest(fact.digest)
        or fact.amount <= 0
    ):
        raise ContractDiffers(problem="须有合同、理由和文本 / contract, ground, and text")
    rule = statutes.ADD_ON.versions[0]
    most = contract.amount * (_HUNDRED + rule.number)
    if tender.procedure.is_government and fact.amount * _HUNDRED > most:
        problem = f"追加超过百分之 {rule.number}（{rule.article}） / more than may be added"
        raise ContractDiffers(problem=problem)


def _check_record(_: Fulfilment, tender: Tender, fact: PerformanceRecorded) -> None:
    if fact.lot not in tender.contracts or not fact.text.strip():
        raise ContractDiffers(problem="没有该合同或没有内容 / no such contract, or nothing said")


def _check_returned(state: Fulfilment, tender: Tender, fact: BondReturned) -> None:
    bidders = {bid.bidder_id for bid in tender.priced()}
    if fact.bidder_id in state.returned or fact.bidder_id not in bidders:
        raise AwardRefusal(problem=f"{fact.bidder_id} 已退还或未投标 / returned, or no bidder")
    if fact.amount <= 0 or fact.interest < 0:
        raise AwardRefusal(problem="金额 / amount")


def _check_archive(state: Fulfilment, tender: Tender, fact: ArchiveSealed) -> None:
    rule = statutes.ARCHIVE_YEARS.versions[0]
    over = (Phase.COMPLETE, Phase.FAILED, Phase.CANCELLED)
    if tender.phase not in over or state.archive or not is_digest(fact.digest):
        raise AwardRefusal(problem="项目未结束或已归档 / not over yet, or archived already")
    if fact.years < rule.number:
        problem = f"至少保存 {rule.number} 年（{rule.article}） / years at least"
        raise AwardRefusal(problem=problem)


_RULES: dict[type[Fact], Callable[[Fulfilment, Tender, Any], None]] = {
    ContractCountersigned: _check_countersigned,
    ContractAmended: _check_amended,
    PerformanceRecorded: _check_record,
    BondReturned: _check_returned,
    ArchiveSealed: _check_archive,
}
