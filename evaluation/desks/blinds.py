"""暗标盐值 the salts behind blind codes: made by chance, kept until the blinds are lifted."""

import secrets
from pathlib import Path

from evaluation.entrant import blind_digest
from trading.kernel.errors import SheetRefusal
from trading.kernel.files import write_secret
from trading.kernel.settings import read_secret

__all__ = ["Blinds"]

_BYTES = 32


class Blinds:
    """One file a review below `folder`, by the digest that stands in the ledger."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def make(self) -> str:
        """Durable before anybody sees the codes."""
        salt = secrets.token_hex(_BYTES)
        write_secret(self._folder / blind_digest(salt), salt.encode())
        return salt

    def of(self, digest: str) -> str:
        path = self._folder / digest
        if not digest or not path.exists():
            raise SheetRefusal(stage="technical", problem="本节点没有盐值 / the salt is not here")
        return read_secret(path).decode()
