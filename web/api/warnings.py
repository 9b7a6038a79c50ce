"""预警窗口: the queue of warnings, one opening's page, what the supervising body makes of it."""

from uuid import UUID

from litestar import Controller, get, post
from litestar.params import FromPath, JSONBody

from analytics.benches import Behaviour
from analytics.page import LotView, Queued
from trading.facts.warning import WarningJudged
from web.access import allow
from web.api.bodies import Calls, Here, SignedBody
from web.auth import actor, authenticate

__all__ = ["WarningController"]


class Judge(SignedBody, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The whole fact, as it will stand in the ledger of `warnings:` and the tender's id."""

    fact: WarningJudged


class WarningController(Controller):
    path = "/v1"
    tags = ("预警 warnings",)
    guards = (authenticate, allow)

    @get("/warnings", name="warnings", sync_to_thread=True)
    def queue(self, ports: Here) -> list[Queued]:
        """Every opening, the gravest first: hard evidence, then red, then by score."""
        return ports.desks.watch.queue()

    @get("/warnings/labels", name="labels", sync_to_thread=True)
    def labels(self, ports: Here) -> list[dict[str, str]]:
        """What was confirmed and cleared, as rows that `kaifeng analytics train` reads."""
        return ports.desks.watch.labels()

    @get("/warnings/experts", name="behaviour", sync_to_thread=True)
    def behaviour(self, ports: Here) -> Behaviour:
        """评委行为: partiality, outliers, cliques, closeness, of all concluded panels."""
        return ports.desks.benches.behaviour()

    @get("/tenders/{tender:uuid}/warnings", name="tender_warnings", sync_to_thread=True)
    def page(self, tender: FromPath[UUID], ports: Here) -> list[LotView]:
        """Prices, network, documents side by side, and the decisions; lot by lot."""
        return ports.desks.watch.page(str(tender))

    @post("/tenders/{tender:uuid}/warnings", name="judge_warning", sync_to_thread=True)
    def judge(
        self, tender: FromPath[UUID], data: JSONBody[Judge], ports: Here, request: Calls
    ) -> dict[str, object]:
        """查实、排除或待补充, with the ground: a new label as well."""
        kept = ports.desks.watch.desk.judge(actor(request, data), str(tender), data.fact)
        verdict = kept.verdict(data.fact.lot)
        return {"tender": str(tender), "lot": data.fact.lot, "verdict": verdict}
