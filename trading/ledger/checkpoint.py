"""Checkpoints (c2sp.org/tlog-checkpoint v1.0.0): origin, size and root, as a signed note."""

import base64

import msgspec

from trading.kernel.errors import CheckpointBroken, NoteMalformed
from trading.ledger.note import Note, decode_base64, is_size
from trading.ledger.signature import NoteKey, VerifierKey

__all__ = ["Checkpoint", "sign_checkpoint", "verify_log_signature"]

_MAX_ORIGIN = 255  # of a cosigned message


class Checkpoint(msgspec.Struct, frozen=True):
    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    @classmethod
    def parse(cls, text: str) -> "Checkpoint":
        """The three lines of a note's text; extension lines are refused, nobody audits them."""
        lines = text.split("\n")
        if len(lines) != 4 or lines[3] or not lines[0]:
            raise NoteMalformed(problem="检查点恰有三行 / a checkpoint has exactly three lines")
        if not is_size(lines[1]) or len(lines[0].encode()) > _MAX_ORIGIN:
            raise NoteMalformed(problem="树的大小 / tree size")
        root = decode_base64(lines[2])
        if len(root) != 32:
            raise NoteMalformed(problem="根散列 / root hash")
        return cls(lines[0], int(lines[1]), root)


def sign_checkpoint(checkpoint: Checkpoint, keys: list[NoteKey], time: int) -> Note:
    return Note(checkpoint.text, tuple(key.sign(checkpoint.text, time) for key in keys))


def verify_log_signature(note: Note, keys: list[VerifierKey]) -> Checkpoint:
    """The checkpoint, if a trusted key of its origin signed it and none of theirs is wrong."""
    checkpoint = Checkpoint.parse(note.text)
    known = [
        (key, line)
        for key in keys
        for line in note.signatures
        if key.name == checkpoint.origin and key.signed(line)
    ]
    if not known:
        raise CheckpointBroken(
            size=checkpoint.size, problem="没有已知账本密钥的签名 / not signed by a known log key"
        )
    for key, line in known:
        key.check(line, note.text)
    return checkpoint
