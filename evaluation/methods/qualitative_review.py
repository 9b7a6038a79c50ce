"""定性评审法 qualitative review, where award and evaluation are separated 评定分离.

The panel says who qualifies, the award committee chooses. Nobody is ranked: by arrival.
"""

from collections.abc import Sequence

from evaluation.method import Method, Offer, Parameters, Placed

__all__ = ["METHOD"]


def _place(offers: Sequence[Offer], _: Parameters) -> list[Placed]:
    text = "合格，不排序 / qualified, not ranked"
    return [
        Placed(offer.eid, 0, "0.00", text)
        for offer in sorted(offers, key=lambda offer: offer.arrival)
    ]


METHOD = Method(
    code="qualitative-review",
    zh="定性评审法",
    en="Qualitative review",
    place=_place,
    is_ranked=False,
)
