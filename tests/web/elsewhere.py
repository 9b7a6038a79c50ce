"""Requests of the matrix whose acts lie in streams with phases of their own."""

from collections.abc import Callable

from cells import NOBODY, Ask, Cell, act, get, post, state

from trading.draw import TRUSTEE
from trading.facts.awarding import BallotSealed
from trading.facts.draw import DrawAnnounced, DrawCommitted, Group, Option
from trading.facts.fulfilment import PerformanceRecorded
from trading.facts.objection import ComplaintDecided, ComplaintFiled, Effect
from trading.facts.panel import MemberSignedIn
from trading.facts.warning import Verdict, WarningJudged
from web.client import act_id

__all__ = ["ELSEWHERE"]

DRAW = "/draws/experts/1"
BYTES = {"content-type": "application/octet-stream"}


def _of_expert(act: str) -> Ask:
    return Ask("POST", f"/v1/experts/{NOBODY}/{act}", {"id": act_id(), "ground": "违规"})


def _announce_draw(cell: Cell) -> Ask:
    fact = DrawAnnounced(
        draw=f"{cell.story.tender}:k:1",
        tender=cell.story.tender,
        purpose="k",
        options=(Option("1"), Option("2")),
        groups=(Group("k", 1),),
        contributors=(cell.party, TRUSTEE + cell.edge.centre.trustees[0].key.hex()),
    )
    return state("/draws", fact)(cell)


def _announce_panel_draw(cell: Cell) -> Ask:
    return act(
        "/panel-draws",
        draw=f"{cell.story.tender}:experts:1",
        region="A",
        groups=[{"speciality": "works", "count": 5}],
        contributors=[cell.party, TRUSTEE + cell.edge.centre.trustees[0].key.hex()],
    )(cell)


# Here only who may call is tried; what becomes of it is in test_panel_edge.py. A refusal writes
# nothing and has its code, whatever the tender's phase.
ELSEWHERE: dict[str, Callable[[Cell], Ask]] = {
    "market": lambda _: Ask("GET", "/v1/market"),
    "deals": lambda _: Ask("GET", "/v1/market/deals"),
    "deals_table": lambda _: Ask("GET", "/v1/market/deals/tables/csv"),
    "portrait": lambda _: Ask("GET", "/v1/market/parties/owner"),
    "warnings": lambda _: Ask("GET", "/v1/warnings"),
    "behaviour": lambda _: Ask("GET", "/v1/warnings/experts"),
    "labels": lambda _: Ask("GET", "/v1/warnings/labels"),
    "tender_warnings": get("TENDER/warnings"),
    "judge_warning": state(
        "/warnings", WarningJudged(lot=1, verdict=Verdict.CLEARED, ground="核查")
    ),
    "suspend_expert": lambda _: _of_expert("suspension"),
    "restore_expert": lambda _: _of_expert("restoration"),
    "announce_draw": _announce_draw,
    "announce_panel_draw": _announce_panel_draw,
    "contribute": state(f"{DRAW}/contributions", DrawCommitted(commitment=NOBODY)),
    "progress_draw": lambda cell: Ask("POST", f"{cell.path}{DRAW}/progress"),
    "void_draw": act(f"{DRAW}/voiding", ground="有人未揭示"),
    "call_stand_in": act(f"{DRAW}/stand-ins", gone=NOBODY, reason="absent"),
    "unseal_names": lambda cell: Ask("POST", f"{cell.path}{DRAW}/names"),
    "draw": get(f"TENDER{DRAW}"),
    "transcript": get(f"TENDER{DRAW}/transcript"),
    "panel": get("TENDER/panel"),
    "form_panel": post("/panel", draw="?", members=[{"party": "expert", "seat": "评委1"}]),
    "panel_act": state("/panel/acts", MemberSignedIn(site="主场")),
    "panel_step": post("/panel/steps", step={"type": "seat"}),
    "save_draft": lambda cell: Ask(
        "PUT", f"{cell.path}/panel/drafts/price", content=b"?", headers=BYTES
    ),
    "load_draft": get("TENDER/panel/drafts/price"),
    "questions": post("/panel/questions", key=NOBODY, signature="00" * 64),
    "answer_panel": post("/panel/answers", question="q1", text="答", signature="00" * 64),
    "form_awarders": act("/award-committee", members=["a", "b", "c", "d", "e"]),
    "awarders_act": state("/award-committee/acts", BallotSealed(round=0, digest=NOBODY)),
    "conclude_award": post("/award-committee/conclusion"),
    "objections": state("/objections", ComplaintFiled(complaint="c", text="不服")),
    "decide_complaint": state(
        "/decisions", ComplaintDecided(complaint="c", effect=Effect.DISMISSED, ground="无据")
    ),
    "fulfilment": state("/fulfilment", PerformanceRecorded(lot=9, text="验收")),
    "archive": post("/archive", digest=NOBODY, years=15),
    "countersign": post("/contracts/1/signatures", side="owner", signature="00"),
    "issue_paper": lambda cell: Ask("POST", f"{cell.path}/papers/opening-record"),
}
