"""可比价格 where prices of a process may be compared, and in which currency."""

from analytics.process import Bid, Process

__all__ = ["Comparison"]


class Comparison:
    """Where prices may be compared at all, and in which currency: the first one that is seen, if
    none is set. Nothing is converted.
    """

    def __init__(self, only: frozenset[str], never: frozenset[str], currency: str) -> None:
        self._only, self._never, self._currency = only, never, currency

    def applies(self, process: Process) -> bool:
        if self._only:
            return process.details in self._only
        return process.details not in self._never

    def amount(self, bid: Bid) -> float | None:
        """In the currency that counts."""
        money = bid.money
        if money is None:
            return None
        self._currency = self._currency or money[1]
        return money[0] if money[1] == self._currency else None
