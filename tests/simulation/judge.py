"""The judgement at the end of a story: what clients were told against what is stored, what each
process believes against what a stranger folds, and the ledger as a whole.
"""

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING

from simulation.client import Act, Client
from simulation.prelude import LONG, SHORT
from simulation.process import Process
from simulation.watch import MemoryArchive

from trading.audit import Audit
from trading.bidding import bracket_incident, decide_failures
from trading.kernel.errors import Refusal
from trading.ledger.policy import Policy
from trading.ledger.receipt import check_receipt
from trading.tender import Phase, Tender, fold

if TYPE_CHECKING:
    from simulation.world import World

__all__ = ["inspect", "is_over", "verdicts"]

_RECEIPTS = 2  # that are asked for in one story
_PATIENCE = 20


def is_over(tender: Tender, policy: Policy, *, opens: bool) -> bool:
    """Whether the centre has nothing left to do by itself."""
    if tender.phase is not Phase.SEALED:
        return tender.phase is not Phase.BIDDING
    return not opens and not _is_due(tender, policy)


def _is_due(tender: Tender, policy: Policy) -> bool:
    """What the law wants said at the closing, and nobody has said."""
    failures, closed = decide_failures(tender), tender.closed
    if failures.lots or failures.tender:
        return True
    if closed is None or tender.incident:
        return False
    return bracket_incident(policy.check(closed.before), policy.check(closed.closing)) is not None


async def inspect(world: "World") -> None:
    """A stranger asks: the feed of each process, and the receipts of some acts."""
    stranger = Client(world, "stranger")
    for process in world.processes:
        answer = await stranger.send(process, "GET", "/v1/feed")
        found = [item["leaf"] for item in answer.body["items"]] if answer else []
        stored = [row[4].hex() for row in world.database.table.rows]
        if not found or found != stored[: len(found)]:
            world.complain(f"the feed of {process.name} is not the ledger's")
    taken = [act for act in world.acts.values() if act.was("ok")]
    for act in taken[-_RECEIPTS:]:
        await _ask_receipt(world, stranger, act)


async def _ask_receipt(world: "World", stranger: Client, act: Act) -> None:
    policy = Policy.parse(world.shared.policy)
    for _ in range(_PATIENCE):
        answer = await stranger.send(stranger.any_process(), "GET", f"/v1/acts/{act.key}/receipt")
        if answer and answer.status == 200:
            receipt = check_receipt(answer.text.decode(), policy)
            if receipt.entry.id != act.key:
                world.complain(f"{act.what}: a receipt for something else")
            return
        await asyncio.sleep(0.5)
    world.complain(f"{act.what}: no receipt, {answer and answer.code}")


def verdicts(world: "World") -> Iterator[str]:
    for act in world.acts.values():
        yield from _judged(world, act)
    for process in world.processes:
        yield from _agrees(world, process)
    yield from world.plan.disappointed()
    for tender, entry in world.watch.due:
        yield f"{world.names[tender]} was not extended after outage {entry}"
    if world.plan.verifies and not world.problems:
        yield from _verified(world)


def _judged(world: "World", act: Act) -> Iterator[str]:
    """Acknowledged within stored within acknowledged or unknown; a stored key is answered so."""
    stored = world.watch.stored.get(act.key)
    if act.was("ok") and stored is None:
        yield f"{act.what}: acknowledged, and not there"
    if stored is None:
        return
    if not act.was("ok") and not act.was("unknown") and not world.plan.line.twice:
        yield f"{act.what}: refused by everyone, and there"
    index, since = stored
    for told in act.tries:
        if told.outcome == "ok" and told.index not in (None, index):
            yield f"{act.what}: answered as entry {told.index}, stored as {index}"
        if told.outcome == "refused" and told.began > since:
            yield f"{act.what}: refused ({told.code}) when it was stored already"


def _agrees(world: "World", process: Process) -> Iterator[str]:
    """What a process believes is what a stranger folds from the record."""
    if not process.is_open:
        yield f"{process.name} did not come back: {process.why_not}"
        return
    head = world.database.table.head
    size = process.ledger.size()
    if head and (size != head.size or process.ledger.root(size) != head.root):
        yield f"{process.name} has another tree, of {size}"
    for tender in (LONG, SHORT):
        try:
            fresh = fold(tender, process.ledger.stream(f"tender:{tender}"))
        except Refusal as refusal:
            yield f"{process.name} cannot fold {world.names[tender]}: {refusal}"
            continue
        if process.office.load(tender) != fresh:
            yield f"{process.name} believes something else about {world.names[tender]}"


def _verified(world: "World") -> Iterator[str]:
    """All that `kaifeng verify` repeats."""
    shared = world.shared
    archive = MemoryArchive(world.database, shared.objects.chunks, shared.policy, shared.charter)
    try:
        Audit(archive).run(lambda _: None)
    except Refusal as refusal:
        yield f"the ledger does not verify: {refusal}"
