"""公开数据 OCDS 1.1 releases: one for each publishable fact, in the exact order of the ledger.

A release carries every section that its fact changed; merging all releases of a tender gives
`current_state`. Nothing about bids appears before the opening is recorded, not even their number.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec

from trading.facts.award import AwardDecided, Candidate, CandidatesPublished
from trading.facts.bidding import BiddingClosed
from trading.facts.contract import ContractSigned
from trading.facts.notice import NoticeCorrected, QuestionAnswered, QuestionAsked
from trading.facts.opening import EnvelopeOpened, OpeningRecorded
from trading.facts.tender import (
    Lot,
    LotsFailed,
    TenderCancelled,
    TenderCompleted,
    TenderFailed,
    TenderPublished,
)
from trading.ledger.entry import Stamp
from trading.ledger.fact import Fact
from trading.tender import Phase, Tender

__all__ = ["current_state", "package", "releases"]

Section = dict[str, Any]
_ENCODER = msgspec.json.Encoder(decimal_format="number", order="sorted")
_OCID = "ocds-kaifeng-"
_EXTENSIONS = "https://raw.githubusercontent.com/open-contracting-extensions"
_USED = (
    "bid",
    "lots",
    "enquiry",
    "requirements",
    "submissionTerms",
    "techniques",
    "awardCriteria",
)
_STATUS = {
    Phase.DRAFT: "planned",
    Phase.COMPLETE: "complete",
    Phase.FAILED: "unsuccessful",
    Phase.CANCELLED: "cancelled",
}
_TAGS: dict[type[Fact], tuple[str, tuple[str, ...]]] = {
    TenderPublished: ("tender", ("tender",)),
    NoticeCorrected: ("tenderAmendment", ("tender",)),
    QuestionAsked: ("tenderUpdate", ("tender",)),
    QuestionAnswered: ("tenderUpdate", ("tender",)),
    BiddingClosed: ("tenderUpdate", ("tender",)),
    LotsFailed: ("tenderUpdate", ("tender",)),
    TenderFailed: ("tenderUpdate", ("tender",)),
    TenderCancelled: ("tenderCancellation", ("tender",)),
    OpeningRecorded: ("tenderUpdate", ("tender", "bids")),
    CandidatesPublished: ("award", ("tender", "bids", "awards")),
    AwardDecided: ("awardUpdate", ("tender", "bids", "awards")),
    ContractSigned: ("contract", ("contracts", "awards")),
    TenderCompleted: ("tenderUpdate", ("tender",)),
}


def package(found: Iterable[Section], published: datetime) -> bytes:
    """A release package; money is written as exact decimal numbers."""
    whole = {
        "uri": "kaifeng:releases",
        "version": "1.1",
        "publishedDate": _date(published),
        "publisher": {"name": "Kaifeng"},
        "extensions": [
            f"{_EXTENSIONS}/ocds_{name}_extension/master/extension.json" for name in _USED
        ],
        "releases": list(found),
    }
    return _ENCODER.encode(whole)


def releases(facts: Iterable[tuple[Fact, Stamp]]) -> Iterator[Section]:
    """The releases of a ledger's facts (all tenders, in order)."""
    states: dict[str, Tender] = {}
    for fact, stamp in facts:
        if not stamp.stream.startswith("tender:"):
            continue
        tender = stamp.stream.removeprefix("tender:")
        state = states.setdefault(tender, Tender(tender))
        state.apply(fact, stamp)
        if type(fact) in _TAGS and state.published_at:
            tag, names = _TAGS[type(fact)]
            if isinstance(fact, AwardDecided) and state.publicity is None:
                tag = "award"  # nothing was published of it before
            sections = {name: value for name in names if (value := _SECTIONS[name](state))}
            yield _head(state, str(stamp.index), stamp.at, [tag]) | sections


def current_state(tender: Tender, last: Section) -> Section:
    """What merging all of a tender's releases must give; `last` is the newest release."""
    sections = {name: value for name, make in _SECTIONS.items() if (value := make(tender))}
    head = _head(tender, last["id"], tender.published_at, ["compiled"])
    return head | {"date": last["date"]} | sections


def _head(tender: Tender, name: str, at: datetime | None, tag: list[str]) -> Section:
    return {
        "ocid": f"{_OCID}{tender.id}",
        "id": name,
        "date": _date(at) if at else "",
        "tag": tag,
        "language": "zh",
        "initiationType": "tender",
        "buyer": _buyer(tender),
        "parties": _parties(tender),
    }


def _buyer(tender: Tender) -> Section:
    return {"id": tender.drafted.buyer_id, "name": tender.drafted.buyer}


def _parties(tender: Tender) -> list[Section]:
    parties = [_buyer(tender) | {"roles": ["buyer", "procuringEntity"]}]
    suppliers = {contract.supplier_id for contract in tender.contracts.values()}
    seen = set()
    for bid in _published_bids(tender):
        if bid.bidder_id not in seen:
            seen.add(bid.bidder_id)
            roles = ["tenderer", *(["supplier"] if bid.bidder_id in suppliers else [])]
            parties.append(_organization(bid) | {"roles": roles})
    return parties


def _organization(bid: EnvelopeOpened) -> Section:
    return {"id": bid.bidder_id, "name": bid.bidder_name}


def _published_bids(tender: Tender) -> list[EnvelopeOpened]:
    sealed = tender.phase in (Phase.DRAFT, Phase.BIDDING, Phase.SEALED, Phase.TECHNICAL)
    return [] if sealed else tender.priced()


def _tender(tender: Tender) -> Section:
    draft, procedure = tender.drafted, tender.procedure
    section: Section = {
        "id": tender.id,
        "title": draft.title,
        "status": _STATUS.get(tender.phase, "active"),
        "procuringEntity": _buyer(tender),
        "procurementMethodDetails": procedure.zh,
        "awardCriteria": "ratedCriteria" if "weight" in draft.parameters else "priceOnly",
        "submissionMethod": ["electronicSubmission"],
        "tenderPeriod": {
            "startDate": _date(tender.published_at),
            "endDate": _date(tender.deadline),
        },
        "enquiryPeriod": {
            "startDate": _date(tender.published_at),
            "endDate": _date(tender.deadline),
        },
        "submissionTerms": {
            "electronicSubmissionPolicy": "required",
            "advancedElectronicSignatureRequired": True,
            "multipleBidsAllowed": False,
        },
        "techniques": {"hasFrameworkAgreement": False, "hasElectronicAuction": False},
        "lots": [_lot(tender, lot) for lot in draft.lots],
    }
    total = [lot.estimate for lot in draft.lots if lot.estimate is not None]
    optional = {
        "procurementMethod": procedure.ocds,
        "value": _value(sum(total), draft.currency) if total else None,
        "criteria": [_ceiling(draft.currency, lot) for lot in draft.lots if lot.ceiling],
        "enquiries": _enquiries(tender),
        "amendments": _amendments(tender),
        "numberOfTenderers": len({bid.bidder_id for bid in _published_bids(tender)}),
    }
    return section | {name: value for name, value in optional.items() if value}


def _lot(tender: Tender, lot: Lot) -> Section:
    failed = lot.number in tender.failed_lots
    status = "unsuccessful" if failed else _STATUS.get(tender.phase, "active")
    weight = tender.drafted.parameters.get("weight")
    criterion: Section = {"type": "price", "name": tender.drafted.method}
    if weight:
        criterion["numbers"] = [{"number": int(weight), "weight": "percentageExact"}]
    section: Section = {
        "id": str(lot.number),
        "title": lot.title,
        "status": status,
        "awardCriteria": {"criteria": [criterion]},
    }
    if lot.estimate is not None:
        section["value"] = _value(lot.estimate, tender.drafted.currency)
    return section


def _ceiling(currency: str, lot: Lot) -> Section:
    requirement = {
        "id": f"ceiling-{lot.number}",
        "title": f"不高于最高投标限价 ({currency})",
        "dataType": "number",
        "maxValue": Decimal(lot.ceiling or 0) / 100,
    }
    return {
        "id": f"ceiling-{lot.number}",
        "title": "最高投标限价",
        "relatedLots": [str(lot.number)],
        "requirementGroups": [{"id": f"ceiling-{lot.number}", "requirements": [requirement]}],
    }


def _enquiries(tender: Tender) -> list[Section]:
    found = []
    for question in tender.questions.values():
        item: Section = {"id": question.question, "description": question.text}
        if question.question in tender.answers:
            answer, at = tender.answers[question.question]
            item |= {"answer": answer.text, "dateAnswered": _date(at)}
        found.append(item)
    return found


def _amendments(tender: Tender) -> list[Section]:
    return [
        {"id": str(number), "date": _date(at), "description": fact.text}
        for number, (fact, at) in enumerate(tender.corrections, 1)
    ]


def _bids(tender: Tender) -> Section:
    bids = _published_bids(tender)
    if not bids:
        return {}
    recommended = tender.recommended if tender.phase is not Phase.RECOMMENDED else None
    rejected = {item.eid for item in recommended.rejections} if recommended else set()
    ranks = {item.eid: item for item in recommended.ranking} if recommended else {}
    return {"details": [_bid(tender, bid, rejected, ranks) for bid in bids]}


def _bid(
    tender: Tender, bid: EnvelopeOpened, rejected: set[str], ranks: dict[str, Candidate]
) -> Section:
    judged = tender.publicity is not None or tender.decided is not None
    status = "disqualified" if bid.eid in rejected else "valid" if judged else "pending"
    section: Section = {
        "id": bid.eid,
        "submissionType": "bid",
        "status": status,
        "date": _date(tender.received[bid.eid].at),
        "tenderers": [_organization(bid)],
        "relatedLots": [str(bid.lot)],
    }
    if bid.price is not None:
        section["value"] = _value(bid.price, bid.currency)
    if bid.eid in ranks and judged:
        section |= {"hasRank": True, "rank": ranks[bid.eid].rank}
    return section


def _awards(tender: Tender) -> list[Section]:
    """Candidates under publicity are pending awards; the decision makes one active a lot."""
    if not tender.recommended or (tender.publicity is None and tender.decided is None):
        return []
    chosen = {award.eid for award in tender.decided.awards} if tender.decided else set()
    rule = tender.procedure.candidates
    most = rule.at(tender.published_at).number if rule and tender.published_at else 0
    listed = [
        item
        for item in tender.recommended.ranking
        if item.eid in chosen or (tender.publicity is not None and item.rank <= most)
    ]
    return [_award(tender, item, chosen) for item in listed]


def _award(tender: Tender, item: Candidate, chosen: set[str]) -> Section:
    status = "pending"
    if chosen:
        status = "active" if item.eid in chosen else "unsuccessful"
    return {
        "id": item.eid,
        "status": status,
        "value": _value(item.price, tender.drafted.currency),
        "suppliers": [{"id": item.bidder_id, "name": item.bidder_name}],
        "relatedLots": [str(item.lot)],
        "relatedBid": item.eid,
    }


def _contracts(tender: Tender) -> list[Section]:
    if not tender.decided:
        return []
    winners = {award.lot: award.eid for award in tender.decided.awards}
    return [
        {
            "id": contract.number,
            "awardID": winners[lot],
            "status": "active",
            "value": _value(contract.amount, tender.drafted.currency),
            "relatedBids": [winners[lot]],
        }
        for lot, contract in tender.contracts.items()
    ]


_SECTIONS: dict[str, Callable[[Tender], Any]] = {
    "tender": _tender,
    "bids": _bids,
    "awards": _awards,
    "contracts": _contracts,
}


def _value(fen: int, currency: str) -> Section:
    return {"amount": Decimal(fen) / 100, "currency": currency}


def _date(at: datetime | None) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z") if at else ""
