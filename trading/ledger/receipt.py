"""回执 the bidder's receipt: one `.tlog-proof` file (c2sp.org/tlog-proof) that proves offline that
an entry stands in a ledger a quorum of witnesses has seen. `extra` carries salt and entry.
"""

import base64

import msgspec

from trading.kernel.errors import NoteMalformed, ProofBroken
from trading.ledger.entry import Entry, leaf_data, leaf_hash, read_entry
from trading.ledger.fact import Fact, read_fact
from trading.ledger.note import decode_base64, is_size
from trading.ledger.policy import Policy, Witnessed
from trading.ledger.tree import check_inclusion

__all__ = ["Receipt", "TlogProof", "check_receipt"]

_MAGIC = "c2sp.org/tlog-proof@v1"
_MAX_PATH = 63


class TlogProof(msgspec.Struct, frozen=True):
    extra: bytes
    index: int
    path: tuple[bytes, ...]
    checkpoint: str

    def __str__(self) -> str:
        extra = [f"extra {base64.b64encode(self.extra).decode()}"] if self.extra else []
        hashes = [base64.b64encode(item).decode() for item in self.path]
        return "\n".join([_MAGIC, *extra, f"index {self.index}", *hashes, "", self.checkpoint])

    @classmethod
    def parse(cls, text: str) -> "TlogProof":
        """Strict: one text for one proof. Signatures of unknown keys are ignored."""
        head, blank, checkpoint = text.partition("\n\n")
        lines = head.split("\n")
        if not blank or lines.pop(0) != _MAGIC:
            raise NoteMalformed(problem=f"没有 {_MAGIC} / no {_MAGIC}")
        extra = b""
        if lines and lines[0].startswith("extra "):
            extra = decode_base64(lines.pop(0).removeprefix("extra "))
        number = lines.pop(0).removeprefix("index ") if lines else ""
        if not is_size(number) or len(lines) > _MAX_PATH:
            raise NoteMalformed(problem="序号行 / index line")
        proof = cls(extra, int(number), tuple(decode_base64(line) for line in lines), checkpoint)
        if str(proof) != text:
            raise NoteMalformed(
                problem="证明不是唯一的规范写法 / the proof is not in its one spelling"
            )
        return proof


class Receipt(msgspec.Struct, frozen=True):
    """What a checked receipt says."""

    index: int
    entry: Entry
    fact: Fact
    witnessed: Witnessed


def write_receipt(index: int, path: list[bytes], checkpoint: str, preimage: bytes) -> str:
    """`preimage` is salt || entry."""
    return str(TlogProof(preimage, index, tuple(path), checkpoint))


def check_receipt(text: str, policy: Policy) -> Receipt:
    """The four steps of tlog-proof; Broken (or a kind of it) names the one that fails."""
    proof = TlogProof.parse(text)
    if len(proof.extra) <= 32:
        raise ProofBroken(problem="回执中没有记录 / the receipt carries no entry")
    # (1) compute the leaf hash from salt and entry
    salt, raw = proof.extra[:32], proof.extra[32:]
    entry = read_entry(raw, proof.index)
    fact = read_fact(entry.fact, proof.index)
    leaf = leaf_hash(leaf_data(salt, raw, personal=fact.personal))
    # (2) and (3) log signature, cosignatures and quorum
    witnessed = policy.check(proof.checkpoint)
    # (4) inclusion
    head = witnessed.checkpoint
    check_inclusion(leaf, proof.index, head.size, list(proof.path), head.root)
    return Receipt(proof.index, entry, fact, witnessed)
