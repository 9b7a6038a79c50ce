"""Turns: first come, first served, a few at a time, and everybody else goes on in between."""

import asyncio

from web.turns import Turns


async def _crowd(together: int, count: int) -> list[str]:
    turns, told = Turns(together), list[str]()

    async def decide(number: int) -> None:
        await turns.come()
        told.append(str(number))

    async def read() -> None:
        while len(told) - told.count("read") < count:
            told.append("read")
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        for number in range(count):
            group.create_task(decide(number))
        group.create_task(read())
    return told


def test_whoever_came_first_is_served_first() -> None:
    told = asyncio.run(_crowd(together=2, count=9))
    assert [name for name in told if name != "read"] == [str(number) for number in range(9)]


def test_a_reader_waits_for_one_turn_and_not_for_the_crowd() -> None:
    told = asyncio.run(_crowd(together=2, count=40))
    between = " ".join(told).split("read")
    assert max(len(names.split()) for names in between) <= 2
    alone = asyncio.run(_crowd(together=1_000, count=40))
    assert max(len(names.split()) for names in " ".join(alone).split("read")) > 2


def test_somebody_who_has_gone_costs_no_turn() -> None:
    async def story() -> list[int]:
        turns, served = Turns(1), list[int]()

        async def decide(number: int) -> None:
            await turns.come()
            served.append(number)

        tasks = [asyncio.create_task(decide(number)) for number in range(4)]
        await asyncio.sleep(0)
        tasks[0].cancel()
        tasks[1].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return served

    assert asyncio.run(story()) == [2, 3]
