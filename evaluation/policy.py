"""政府采购政策 policies of government procurement that change the price to evaluate with.

财库 2020-46 and 2022-19: prices of small and micro firms are lowered for the evaluation alone,
goods and services by 10 to 20 percent, works by 3 to 5 [sec].
"""

from decimal import Decimal
from fractions import Fraction

from evaluation.method import Line, Offer, two_places

__all__ = ["DEDUCTION", "evaluated"]

DEDUCTION = (0, 20)  # percent; goods and services may go to 20


def evaluated(offer: Offer, deduction: Decimal) -> tuple[Fraction, Line]:
    """The price to evaluate with, in fen, and its line; what is paid stays the bid."""
    fen = Fraction(offer.price.fen)
    if not offer.is_small or not deduction:
        bid = two_places(fen / 100)
        return fen, Line("evaluated", bid, f"评审价 evaluated = 报价 bid = {bid}")
    fen *= 1 - Fraction(deduction) / 100
    shown = two_places(fen / 100)
    text = f"小微企业 small firm：{offer.price} × (1 − {deduction}%) = {shown}"
    return fen, Line("evaluated", shown, text)
