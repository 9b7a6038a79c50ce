"""The answers of a batch come home to their event loop together, each to whoever waits for it."""

import asyncio
import threading
from concurrent.futures import Future

import pytest

from trading.desks.mailbox import answered
from trading.kernel.errors import LostRace


def test_each_gets_its_own_answer_and_the_loop_is_woken_once() -> None:
    async def story() -> tuple[list[int], int]:
        loop, woken = asyncio.get_running_loop(), 0
        real = loop.call_soon_threadsafe

        def counted(*given: object) -> object:
            nonlocal woken
            woken += 1
            return real(*given)  # type: ignore[arg-type]

        loop.call_soon_threadsafe = counted  # type: ignore[assignment,method-assign]
        attempts = [Future[int]() for _ in range(50)]
        waiting = [asyncio.create_task(answered(attempt)) for attempt in attempts]
        await asyncio.sleep(0)

        def write() -> None:
            for number, attempt in enumerate(attempts):
                attempt.set_result(number)

        writer = threading.Thread(target=write)
        writer.start()
        writer.join()
        return list(await asyncio.gather(*waiting)), woken

    answers, woken = asyncio.run(story())
    assert answers == list(range(50))
    assert woken == 1


def test_a_refusal_comes_home_as_well_and_nobody_waits_for_who_has_gone() -> None:
    async def story() -> None:
        gone, lost, late = Future[int](), Future[int](), Future[int]()
        tasks = [asyncio.create_task(answered(attempt)) for attempt in (gone, lost, late)]
        await asyncio.sleep(0)
        tasks[0].cancel()
        gone.set_result(1)
        lost.set_exception(LostRace(stream="tender:a", expected=1, actual=2))
        late.set_result(3)
        with pytest.raises(asyncio.CancelledError):
            await tasks[0]
        with pytest.raises(LostRace):
            await tasks[1]
        assert await tasks[2] == 3

    asyncio.run(story())


def test_what_was_answered_before_anybody_waited_is_answered() -> None:
    async def story() -> int:
        attempt = Future[int]()
        attempt.set_result(7)
        return await answered(attempt)

    assert asyncio.run(story()) == 7
    assert asyncio.run(story()) == 7  # another loop, another box
