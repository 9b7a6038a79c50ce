"""草稿 drafts of score sheets, saved as a member writes them. They are no facts, and private:
the member's program encrypts them, this desk keeps bytes.
"""

import re
from pathlib import Path

from trading.facts.rubric import ReviewStage
from trading.kernel.errors import SheetRefusal
from trading.kernel.files import write_secret

__all__ = ["DraftDesk"]

_MOST = 1 << 20
_PARTY = re.compile(r"[A-Za-z0-9._-]{1,80}")


class DraftDesk:
    """Durable once `save` returns; the newest alone is kept, below `folder`, readable to us."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, tender: str, stage: ReviewStage, party: str, draft: bytes) -> None:
        if len(draft) > _MOST:
            raise SheetRefusal(stage=stage, problem=f"草稿超过 {_MOST} 字节 / too large")
        write_secret(self._path(tender, stage, party), draft)

    def load(self, tender: str, stage: ReviewStage, party: str) -> bytes:
        """Empty if there is none."""
        path = self._path(tender, stage, party)
        return path.read_bytes() if path.exists() else b""

    def _path(self, tender: str, stage: ReviewStage, party: str) -> Path:
        if not all(_PARTY.fullmatch(name) and name.strip(".") for name in (tender, party)):
            raise SheetRefusal(stage=stage, problem="名称 / name")
        return self._folder / tender / stage / party
