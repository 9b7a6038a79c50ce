"""The access matrix 权限矩阵: every operation, who may call it, and which fact it leads to.

Deny by default: an application with a route that has no row does not start. Whether the tender is
one's own, and whether its phase allows the fact, the rules of trading decide; the matrix names
the fact so that a test can try every cell: operation x role x phase x own or another's tender.
"""

from collections.abc import Iterable
from typing import Any

import msgspec
from litestar import Litestar
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler

from trading.facts.award import (
    AwardDecided,
    AwardNoticed,
    CandidatesPublished,
    CandidatesRecommended,
)
from trading.facts.awarding import AwardCommitteeFormed, AwardConcluded
from trading.facts.bidding import BiddingClosed, EnvelopeReceived, EnvelopeWithdrawn, TokenIssued
from trading.facts.committee import CommitteeFormed
from trading.facts.contract import ContractSigned
from trading.facts.cover import CoversPromised, CoversRevealed
from trading.facts.draw import DrawVoided, NamesUnsealed, StandInCalled
from trading.facts.expert import ExpertAdmitted, ExpertRestored, ExpertSuspended
from trading.facts.fulfilment import ArchiveSealed, ContractCountersigned
from trading.facts.notice import NoticeCorrected, QuestionAnswered, QuestionAsked
from trading.facts.objection import ComplaintDecided
from trading.facts.opening import CokeyRevealed, OpeningRecorded
from trading.facts.panel import ClarificationAnswered, PanelFormed
from trading.facts.paper import PaperIssued
from trading.facts.suspension import (
    ResumptionAsked,
    SuspensionAsked,
    TenderResumed,
    TenderSuspended,
)
from trading.facts.tender import TenderCancelled, TenderDrafted, TenderPublished
from trading.facts.warning import WarningJudged
from trading.kernel.errors import AccessDenied
from trading.kernel.party import Role
from trading.ledger.fact import Fact

__all__ = ["MATRIX", "Row", "allow", "check_complete"]

ANYONE: frozenset[Role] = frozenset()
OWNERS = frozenset({Role.PURCHASER, Role.AGENCY})
HOSTS = frozenset({Role.PLATFORM})
WATCHERS = frozenset({Role.INSPECTOR, Role.PLATFORM})
INSPECTORS = frozenset({Role.INSPECTOR})
EXPERTS = frozenset({Role.EXPERT})
AWARDERS = frozenset({Role.AWARDER})
BIDDERS = frozenset({Role.BIDDER})
MAKERS = frozenset({Role.TRUSTEE, Role.WITNESS})
TAKERS = frozenset({Role.BIDDER, Role.TRUSTEE, Role.WITNESS})


class Row(msgspec.Struct, frozen=True):
    """`roles` empty: anyone, unsigned. `own`: only in a tender of the caller's."""

    roles: frozenset[Role] = ANYONE
    fact: type[Fact] | None = None
    own: bool = False


MATRIX: dict[str, Row] = {
    # the node
    "healthz": Row(),
    "readyz": Row(),
    "metrics": Row(),  # of this machine alone
    "api_reference": Row(),
    "viewer": Row(),
    # the ledger
    "checkpoint": Row(),
    "tile": Row(),
    "feed": Row(),
    "consistency": Row(),
    "policy": Row(),
    "charter": Row(),
    "act": Row(),
    "receipt": Row(),
    "party": Row(),
    "enrol": Row(HOSTS),
    # tenders
    "tenders": Row(),
    "tender": Row(),
    "entries": Row(),
    "invitation": Row(),
    "records": Row(),
    "deadlines": Row(),
    # purchaser
    "draft": Row(OWNERS, TenderDrafted),
    "form_committee": Row(OWNERS, CommitteeFormed, own=True),
    "publish": Row(OWNERS, TenderPublished, own=True),
    "correct": Row(OWNERS, NoticeCorrected, own=True),
    "answer": Row(OWNERS, QuestionAnswered, own=True),
    "cancel": Row(OWNERS, TenderCancelled, own=True),
    # bidder: but for the token, nobody learns who
    "ask": Row(ANYONE, QuestionAsked),
    "promise_covers": Row(MAKERS, CoversPromised),
    "reveal_covers": Row(MAKERS, CoversRevealed),
    "take_tokens": Row(TAKERS, TokenIssued),
    "create_upload": Row(),
    "upload_options": Row(),
    "upload_offset": Row(),
    "append_upload": Row(),
    "drop_upload": Row(),
    "seal": Row(ANYONE, EnvelopeReceived),
    "withdraw": Row(ANYONE, EnvelopeWithdrawn),
    "bid": Row(),
    "reveal": Row(ANYONE, CokeyRevealed),
    # opening
    "close": Row(HOSTS, BiddingClosed),
    "end_cokey_window": Row(HOSTS),
    "open": Row(HOSTS, OpeningRecorded),
    # award
    "recommend": Row(frozenset({Role.PANEL}), CandidatesRecommended, own=True),
    "publish_candidates": Row(OWNERS, CandidatesPublished, own=True),
    "award": Row(OWNERS, AwardDecided, own=True),
    "send_notice": Row(OWNERS, AwardNoticed, own=True),
    "sign_contract": Row(OWNERS, ContractSigned, own=True),
    # evaluation; the phases of these streams are their own
    "admit_expert": Row(HOSTS, ExpertAdmitted),
    "suspend_expert": Row(INSPECTORS, ExpertSuspended),
    "restore_expert": Row(INSPECTORS, ExpertRestored),
    "announce_draw": Row(OWNERS, own=True),
    "announce_panel_draw": Row(OWNERS, own=True),
    "contribute": Row(OWNERS | INSPECTORS),
    "progress_draw": Row(HOSTS),
    "void_draw": Row(INSPECTORS, DrawVoided),
    "call_stand_in": Row(INSPECTORS, StandInCalled),
    "unseal_names": Row(HOSTS, NamesUnsealed),
    "draw": Row(),
    "transcript": Row(),
    "panel": Row(EXPERTS | WATCHERS),
    "form_panel": Row(HOSTS, PanelFormed),
    "panel_act": Row(EXPERTS),
    "panel_step": Row(HOSTS),
    "save_draft": Row(EXPERTS),
    "load_draft": Row(EXPERTS),
    "questions": Row(),
    "answer_panel": Row(ANYONE, ClarificationAnswered),
    # separate award, objections, fulfilment
    "form_awarders": Row(OWNERS, AwardCommitteeFormed, own=True),
    "awarders_act": Row(AWARDERS | OWNERS | INSPECTORS),
    "conclude_award": Row(HOSTS, AwardConcluded),
    "objections": Row(BIDDERS | OWNERS | INSPECTORS),
    "decide_complaint": Row(INSPECTORS, ComplaintDecided),
    "fulfilment": Row(OWNERS, own=True),
    "archive": Row(HOSTS, ArchiveSealed),
    "countersign": Row(ANYONE, ContractCountersigned),
    "issue_paper": Row(HOSTS, PaperIssued),
    # the market
    "market": Row(),
    "deals": Row(),
    "deals_table": Row(),
    "portrait": Row(),
    # warnings
    "warnings": Row(WATCHERS),
    "labels": Row(WATCHERS),
    "tender_warnings": Row(WATCHERS),
    "behaviour": Row(WATCHERS),
    "judge_warning": Row(INSPECTORS, WarningJudged),
    # suspension
    "ask_suspension": Row(WATCHERS, SuspensionAsked),
    "suspend": Row(WATCHERS, TenderSuspended),
    "ask_resumption": Row(WATCHERS, ResumptionAsked),
    "resume": Row(WATCHERS, TenderResumed),
}


def allow(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """The guard of every operation with roles: `web.auth` has already found out who calls."""
    if is_frameworks(handler):
        return
    operation = str(handler.name)
    row = MATRIX[operation]
    caller = connection.scope["user"]
    if not row.roles & caller.roles:
        wanted = "、".join(sorted(row.roles))
        raise AccessDenied(party=caller.party, operation=operation, roles=wanted)


def is_frameworks(handler: BaseRouteHandler) -> bool:
    """OPTIONS by the framework itself, which names the methods and does nothing."""
    methods = getattr(handler, "http_methods", None)
    return handler.name is None and methods == {"OPTIONS"}


def check_complete(app: Litestar) -> None:
    """TypeError if a route has no row, or a row no route."""
    operations = {str(handler.name) for handler in handlers(app)}
    missing, idle = operations - MATRIX.keys(), MATRIX.keys() - operations
    if missing or idle:
        raise TypeError(f"access matrix: no row for {sorted(missing)}, no route for {sorted(idle)}")


def handlers(app: Litestar) -> Iterable[HTTPRouteHandler]:
    """Ours; the framework answers OPTIONS and the schema by itself."""
    for route in app.routes:
        for handler in getattr(route, "route_handlers", []):
            of_framework = route.path.startswith("/schema") or is_frameworks(handler)
            if isinstance(handler, HTTPRouteHandler) and not of_framework:
                yield handler
