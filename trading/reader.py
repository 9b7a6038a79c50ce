"""Reading the facts of a whole ledger: each decided again, then folded; outages held against it."""

from collections import deque
from datetime import UTC, datetime

from trading.facts.suspension import PLATFORM_STREAM, DeadlineExtended, OutageRecorded
from trading.kernel.errors import Broken, EntryBroken, Fatal, Refusal
from trading.ledger.entry import Stamp
from trading.ledger.fact import Fact
from trading.redecide import Redecider
from trading.tender import Tender

__all__ = ["TenderReader"]

# A fact of the right shape may still name what does not exist, or hold hex that is none.
_NONSENSE = (
    ArithmeticError,
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
    StopIteration,
)


_LOOK_BACK = 10_000  # entries; an outage is recorded as soon as the platform is back


class TenderReader:
    """Follows the facts of all tenders: each decided again, then folded."""

    def __init__(self, redecider: Redecider) -> None:
        self._redecider = redecider
        self.tenders: dict[str, Tender] = {}
        self._outages: dict[int, OutageRecorded] = {}
        self._times = deque([datetime.min.replace(tzinfo=UTC)], maxlen=_LOOK_BACK)

    def read(self, fact: Fact, stamp: Stamp) -> None:
        """EntryBroken if the rules do not give this fact."""
        self._check_outage(fact, stamp)
        self._times.append(stamp.at)
        if not stamp.stream.startswith("tender:"):
            return
        tender = stamp.stream.removeprefix("tender:")
        state = self.tenders.setdefault(tender, Tender(tender))
        try:
            self._redecider.check(state, fact, stamp)
            state.apply(fact, stamp)
        except (Broken, Fatal):
            raise
        except Refusal as refusal:
            raise EntryBroken(index=stamp.index, problem=refusal) from refusal
        except _NONSENSE as error:
            problem = f"所指不存在 / it speaks of nothing: {error!r}"
            raise EntryBroken(index=stamp.index, problem=problem) from error

    def _check_outage(self, fact: Fact, stamp: Stamp) -> None:
        """Nobody invents an outage: the ledger itself must have been silent for its whole time."""
        if isinstance(fact, OutageRecorded):
            written = any(fact.start < at < fact.end for at in self._times)
            if stamp.stream != PLATFORM_STREAM or written or fact.start < self._times[0]:
                problem = "停机期间有记录 / entries were written during the outage"
                raise EntryBroken(index=stamp.index, problem=problem)
            if not fact.start <= fact.end <= stamp.at:
                raise EntryBroken(index=stamp.index, problem="尚未发生 / not yet")
            self._outages[stamp.index] = fact
        elif isinstance(fact, DeadlineExtended):
            outage = OutageRecorded(start=fact.start, end=fact.end)
            if self._outages.get(fact.outage) != outage:
                raise EntryBroken(index=stamp.index, problem="没有该停机记录 / no such outage")
