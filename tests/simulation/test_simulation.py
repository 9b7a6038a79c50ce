"""A thousand lives of tenders in virtual time: whatever fails, repeats, crashes or tells the wrong
time, what was acknowledged is there, once, in time, and the whole ledger verifies.

One seed is one story. A story that fails prints itself, reduced to the parts it needs; to tell it
again: `KAIFENG_SEEDS=1 KAIFENG_FIRST_SEED=n pytest tests/simulation`.
"""

import asyncio
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from simulation.loop import Loop, Rng, Stalled
from simulation.plan import Plan
from simulation.prelude import Prelude
from simulation.trace import report, smallest
from simulation.world import World

SEEDS = int(os.environ.get("KAIFENG_SEEDS", "1000"))
FIRST = int(os.environ.get("KAIFENG_FIRST_SEED", "0"))
CHUNK = 50
PLANTED = {
    "own": "deadlines are decided by each process's own clock",
    "at": "the database's clock is read before the lock is held",
    "claimed": "claims are looked up before the lock is held",
    "known": "idempotency keys are looked up before the lock is held",
}


HAPPENS = {  # to the stories of every chunk, by what the journal says of it
    "a process crashes": r" crashes$",
    "a process comes back": r" starts$",
    "a clock is set": r" clock set by ",
    "the database is away": r"database +is away ",
    "a client is not answered": r": unknown -$",
    "a bid is acknowledged": r" seal \S+ by p[12]: ok ",
    "a bid is too late": r": refused KF-202$",
    "bids are opened": r": EnvelopeOpened ",
    "an opening is recorded": r": OpeningRecorded ",
}


def told(seed: int) -> World:
    world = World(Plan(seed))
    world.run()
    return world


@pytest.mark.parametrize("first", range(FIRST, FIRST + SEEDS, CHUNK))
def test_every_story_ends_well(given: Prelude, first: int) -> None:
    seeds = range(first, min(first + CHUNK, FIRST + SEEDS))
    journal: list[str] = []
    for seed in seeds:
        world = told(seed)
        journal += world.journal
        if world.problems:
            pytest.fail(report(smallest(seed)), pytrace=False)
    assert len(seeds) < CHUNK or missing_in(journal) == []


def missing_in(journal: list[str]) -> list[str]:
    """Of what stories are told for."""
    text = "\n".join(journal)
    return [what for what, line in HAPPENS.items() if not re.search(line, text, re.MULTILINE)]


def test_stories_in_which_nothing_goes_wrong_do_not_count(given: Prelude) -> None:
    """The negative control: some of the same seeds, without their troubles."""
    journal: list[str] = []
    for seed in range(0, CHUNK, 12):
        world = World(Plan(seed, without=frozenset(Plan(seed).parts)))
        assert world.run() == []
        journal += world.journal
    missing = missing_in(journal)
    assert {"a process crashes", "a clock is set", "a client is not answered"} <= set(missing)


@pytest.mark.parametrize("seed", [1, 7, 12, 84])
def test_a_seed_tells_the_same_story_again(given: Prelude, seed: int) -> None:
    first, again = told(seed), told(seed)
    assert first.journal == again.journal
    assert len(first.journal) > 20
    assert told(seed + 1).digest() != first.digest()


def test_another_process_tells_the_same_story(given: Prelude) -> None:
    """With other hashes of strings, other keys and other envelopes."""
    program = "from simulation.test_simulation import told; print(told(24).digest())"
    tests = Path(__file__).parents[1]
    path = os.pathsep.join([str(tests), str(tests.parent)])
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == told(24).digest(), done.stderr


@pytest.mark.parametrize("early", PLANTED)
def test_a_planted_check_before_the_lock_is_found(given: Prelude, early: str) -> None:
    """The negative control: within the seeds above, as the smallest story that shows it."""
    planted = frozenset({early})
    for seed in range(1000):
        if World(Plan(seed, early=planted)).run():
            break
    else:
        pytest.fail(f"not found: {PLANTED[early]}")
    story = smallest(seed, planted)
    assert story.problems, PLANTED[early]


def test_a_year_passes_in_no_time() -> None:
    loop, began = Loop(Rng(1)), time.perf_counter()
    loop.run_until_complete(asyncio.sleep(366 * 86_400))
    loop.close()
    assert loop.now >= 366 * 86_400
    assert time.perf_counter() - began < 1


def test_whoever_waits_for_nothing_is_found() -> None:
    loop = Loop(Rng(1))
    with pytest.raises(Stalled):
        loop.run_until_complete(loop.create_future())
    loop.close()


def test_whoever_blocks_the_event_loop_is_found() -> None:
    loop = Loop(Rng(1))

    async def careless() -> None:
        time.sleep(1)  # noqa: ASYNC251  that is the mistake

    with loop.ruling(), pytest.raises(TypeError, match="block the event loop"):
        loop.run_until_complete(careless())
    with loop.ruling():
        loop.run_until_complete(loop.run_in_executor(None, time.sleep, 3600))
    assert loop.now > 3600
    loop.close()


def test_the_order_of_those_who_are_ready_is_the_seeds() -> None:
    def order(seed: int) -> list[int]:
        loop, seen = Loop(Rng(seed)), list[int]()
        for number in range(8):
            loop.call_soon(seen.append, number)
        loop.run_until_complete(asyncio.sleep(1))
        loop.close()
        return seen

    assert order(1) == order(1)
    assert len({tuple(order(seed)) for seed in range(20)}) > 15
