"""次低价 how far the others' lowest bid lies above the winner's, where price alone decided."""

from analytics.comparison import Comparison
from analytics.process import Process

__all__ = ["Seconds"]


class Seconds:
    """By process: the ratio, the winner, and the runner-up."""

    def __init__(self, comparison: Comparison) -> None:
        self._comparison = comparison
        self.ratios: dict[str, float] = {}
        self.pairs: dict[str, tuple[str, str]] = {}

    def see(self, process: Process) -> None:
        if not self._comparison.applies(process):
            return
        winner = process.winner
        if winner is None:
            return
        won, others = self._lowest(process, winner)
        if won is None or others is None or others[0] < won or won == 0:
            return  # price alone did not decide, or there is nothing to divide by
        self.ratios[process.ocid] = (others[0] - won) / won
        self.pairs[process.ocid] = winner, others[1]

    def _lowest(
        self, process: Process, winner: str
    ) -> tuple[float | None, tuple[float, str] | None]:
        won: float | None = None
        others: tuple[float, str] | None = None
        for bid in process.valid:
            tenderer = bid.tenderer
            amount = self._comparison.amount(bid) if tenderer is not None else None
            if tenderer is None or amount is None:
                continue
            if tenderer == winner:
                won = amount if won is None else min(won, amount)
            elif others is None or amount < others[0]:
                others = amount, tenderer
        return won, others
