"""Bidders of a live tender who are cut off again and again, and what must be true of their bids."""

import threading
import time
from typing import Any

import httpx
import msgspec
from commands import kaifeng
from live import ALiveTender, SealedBid

from web.client import Client, Refused, hand_in
from web.rehearsal import Rehearsal

__all__ = ["Bidders", "Told", "check", "facts_of"]

_CLIENTS = 6
_LONG = 1e9  # seconds


class Told(msgspec.Struct):
    """What clients know of their bids: where they lie, that they came too late, or nothing, for a
    request was cut off after it had been sent.
    """

    acked: dict[str, int] = {}
    late: set[str] = set()
    unknown: set[str] = set()
    problems: list[str] = []


class Bidders:
    """Bids that come evenly over some seconds, by clients that in between ask again for what they
    have. Of those that are cut off every other gives up, and never learns what became of its bid.
    """

    def __init__(self, tender: ALiveTender, bids: list[SealedBid], seconds: float) -> None:
        self._tender, self._begin = tender, time.monotonic()
        self.told = Told()
        self.asked, self.cut = list[str](), list[str]()
        self._ended = threading.Event()
        pause = seconds / len(bids)
        self._threads = [
            threading.Thread(
                target=self._work,
                args=([(n * pause, bid) for n, bid in enumerate(bids)][first::_CLIENTS],),
            )
            for first in range(_CLIENTS)
        ]
        for thread in self._threads:
            thread.start()

    def _work(self, bids: list[tuple[float, SealedBid]]) -> None:
        client = self._tender.rehearsal.client()
        known = list[SealedBid]()
        for number, (due, bid) in enumerate([*bids, (_LONG, bids[0][1])]):
            while not self._ended.wait(0.02) and time.monotonic() < self._begin + due:
                if known:
                    self._is_answered(client, known[-1])
            while not self._ended.wait(0.02) and not self._is_answered(client, bid):
                if bid.eid in self.told.unknown and number % 2 == 0:
                    break
            if bid.eid in self.told.acked:
                known.append(bid)

    def _is_answered(self, client: Client, bid: SealedBid) -> bool:
        self.asked.append(bid.eid)
        told = self.told
        try:
            done = hand_in(client, self._tender.id, bid.path, bid.token, bid.act)
        except httpx.ConnectError:  # nothing was sent
            return False
        except httpx.HTTPError:
            self.cut.append(bid.eid)
            if bid.eid not in told.acked and bid.eid not in told.late:
                told.unknown.add(bid.eid)
            return False
        except Refused as refused:
            if refused.facts["code"] != "KF-202":
                return False
            told.late.add(bid.eid)
        else:
            if told.acked.setdefault(bid.eid, done["index"]) != done["index"]:
                told.problems.append(f"{bid.eid} was acknowledged at two places")
        told.unknown.discard(bid.eid)
        return True

    def join(self) -> Told:
        self._ended.set()
        for thread in self._threads:
            thread.join()
        return self.told


def check(centre: Rehearsal, tender: ALiveTender, bids: list[SealedBid], told: Told) -> None:
    """acked ⊆ stored ⊆ acked or unknown, what was too late is not there, nothing is there twice,
    every entry is where it was said to be, and the whole verifies.
    """
    received = facts_of(tender, "envelope.received/1")
    states = {bid.eid: tender.anyone.get(f"{tender.path}/bids/{bid.eid}") for bid in bids}
    stored = {eid: state["index"] for eid, state in states.items() if state["index"] is not None}
    assert told.problems == []
    assert told.acked.items() <= stored.items(), "acknowledged and lost"
    assert stored.keys() <= told.acked.keys() | told.unknown, "stored and nobody could know"
    assert not stored.keys() & told.late, "refused and stored"
    assert len(received) == len(stored)
    assert kaifeng("verify", centre.data).returncode == 0


def facts_of(tender: ALiveTender, kind: str) -> list[dict[str, Any]]:
    entries = tender.anyone.get(f"{tender.path}/entries")
    return [entry["fact"] for entry in entries if entry["fact"]["type"] == kind]
