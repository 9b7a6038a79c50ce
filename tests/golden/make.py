"""Makes the golden files of a release, once: `PYTHONPATH=tests python tests/golden/make.py`.

What an earlier release wrote is never made again; a new release adds a folder.
"""

import io
import json
import shutil
import sys
import tempfile
from pathlib import Path

from builders import AUTHORITY, THREE, ABid, AStory
from centre import TestCentre

from trading.envelope.content import Bidder, Manifest, Price
from trading.envelope.layout import PREFIX, Address, Stage
from trading.envelope.seal import BidKey, Sealing, seal
from trading.keys import dkg
from trading.keys.dkg import Ceremony, Secrets
from trading.keys.group import base, encode_scalar, random_scalar
from trading.keys.opening import combine, make_share

HERE = Path(__file__).parent


def make_ledger(folder: Path) -> None:
    """An export of one tender with co-keys, a correction, a refusal and an erased contact."""
    with tempfile.TemporaryDirectory() as temporary:
        centre = TestCentre(Path(temporary), trustees=3)
        index = centre.registrar.describe(centre.owner, "contact")
        story = AStory(centre, cokey=True).drafted().formed(threshold=3).published()
        centre.purchaser.correct(centre.owner, story.tender, "更正")
        centre.registrar.erase(index, "request")
        bids = [ABid(f"9133{n}", fen, cokey=bytes([n + 1]) * 32) for n, fen in enumerate(THREE)]
        eids = story.hand_in(*bids)
        story.closed()
        for eid, bid in zip(eids, bids, strict=True):
            centre.opening.reveal(story.tender, eid, bid.cokey)
        story.shared().opened().ranked().publicised().awarded().contracted()
        receipt = centre.bidder.invitation(story.tender, Stage.PRICE)
        shutil.copytree(centre.export(), folder / "export")
        (folder / "invitation.tlog-proof").write_text(receipt)
        centre.close()


def make_envelope(path: Path) -> None:
    """The vector of KFE1: a 3-of-5 ceremony, an envelope with co-key, shares, combined point."""
    secrets = [random_scalar() for _ in range(5)]
    ceremony = Ceremony(3, tuple(map(base, secrets)), b"kaifeng golden")
    deals = [dkg.deal(i, s, ceremony, Secrets.draw(3)) for i, s in enumerate(secrets, 1)]
    text = dkg.transcript(ceremony, deals, b"")
    from trading.keys import schnorr

    kid = dkg.certify(ceremony, text, [schnorr.sign(s, text) for s in secrets])
    committee = dkg.committee(ceremony, deals)
    tender = "0193d3f0-0000-7000-8000-000000000001"
    address = Address(tender, 1, Stage.PRICE, kid, committee.key)
    manifest = Manifest(Bidder("91330", "甲公司"), (), 1, Price(123456), Stage.PRICE, tender)
    cokey, out = bytes(range(32)), io.BytesIO()
    identity = AUTHORITY.issue("91330", "甲公司")
    sealing = Sealing(address=address, key=BidKey(), identity=identity, cokey=cokey)
    prefix = seal(manifest, None, sealing, out)
    from trading.keys.group import lift

    lifted = lift(prefix.enc)
    shares = [
        make_share(i, dkg.receive(i, secrets[i - 1], ceremony, deals), [lifted], b"golden")
        for i in (1, 3, 5)
    ]
    path.write_text(
        json.dumps(
            {
                "note": "KFE1: prefix and body, sealed to a 3-of-5 committee; all values hex",
                "tender": tender,
                "lot": 1,
                "stage": Stage.PRICE,
                "kid": kid.hex(),
                "committee": committee.key.hex(),
                "verification_shares": [share.hex() for share in committee.shares],
                "trustee_secrets": [encode_scalar(secret).hex() for secret in secrets],
                "prefix": out.getvalue()[:PREFIX].hex(),
                "body": out.getvalue()[PREFIX:].hex(),
                "eid": prefix.eid,
                "cokey": cokey.hex(),
                "lifted": lifted.hex(),
                "bind": b"golden".hex(),
                "shares": [
                    {"trustee": s.index, "point": s.points[0].hex(), "proof": s.proof.hex()}
                    for s in shares
                ],
                "combined": combine(shares, committee, 0).hex(),
                "price_fen": 123456,
                "bidder": "91330",
            },
            indent=1,
        )
        + "\n"
    )


if __name__ == "__main__":
    target = HERE / sys.argv[1]
    target.mkdir()
    make_ledger(target)
    make_envelope(target / "kfe1.json")
