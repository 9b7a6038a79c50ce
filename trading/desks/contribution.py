"""受托人的随机数 a trustee's part in a draw: derived from its key, so that there is nothing to keep
and nothing to change one's mind about.
"""

import hmac

import msgspec

from trading.draw import TRUSTEE, Draw, DrawPhase, contribution_message
from trading.kernel.errors import TrusteeRefuses
from trading.keys import schnorr
from trading.keys.group import base, encode_scalar
from trading.ledger.mirror import Sync
from trading.lots import commitment, draw_digest

__all__ = ["AskCommitment", "AskSecret", "Contributed", "contribute"]

_DERIVED = b"kaifeng draw secret v1\n"


class AskCommitment(msgspec.Struct, frozen=True, tag="ask-draw-commitment"):
    draw: str
    sync: Sync


class AskSecret(msgspec.Struct, frozen=True, tag="ask-draw-secret"):
    draw: str
    sync: Sync


class Contributed(msgspec.Struct, frozen=True, tag="contributed"):
    """Commitment or secret, hex, with the trustee's signature."""

    value: str
    signature: bytes


def contribute(draw: Draw, secret_key: int, *, is_secret: bool) -> Contributed:
    """The commitment as soon as the draw is announced; the secret only once the trustee's own copy
    of the ledger holds every commitment and the head that came after them.
    """
    public = base(secret_key).hex()
    if TRUSTEE + public not in draw.terms.contributors:
        raise TrusteeRefuses(problem="本次抽取没有我 / I have no part in this draw")
    if is_secret and draw.phase is not DrawPhase.ROOTED:
        raise TrusteeRefuses(problem="承诺未齐或未绑定账本 / commitments or their head are missing")
    digest = draw_digest(draw.terms)
    secret = hmac.digest(encode_scalar(secret_key), _DERIVED + digest, "sha256")
    act = "reveal" if is_secret else "commit"
    value = secret.hex() if is_secret else commitment(digest, TRUSTEE + public, secret)
    message = contribution_message(draw, act, value)
    return Contributed(value, schnorr.sign(secret_key, message))
