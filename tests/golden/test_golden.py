"""Ledgers and envelopes of every release must verify and open for ever; evil ones must not."""

import json
import shutil
from pathlib import Path

import pytest

from analytics.recheck import Warned
from evaluation.recheck import Evaluations
from trading.audit import Audit
from trading.envelope.admit import admit, check_body
from trading.envelope.layout import Address, Prefix
from trading.envelope.unseal import open_envelope, unwrap
from trading.kernel.errors import Broken, EnvelopeRefusal, Refusal, ShareInvalid
from trading.keys.dkg import Committee
from trading.keys.opening import Share, check_share, combine
from trading.ledger.archive import open_archive
from trading.ledger.policy import Policy
from trading.ledger.receipt import check_receipt

HERE = Path(__file__).parent
RELEASES = sorted(path for path in HERE.iterdir() if (path / "export").is_dir())
_hex = bytes.fromhex


def test_there_is_a_golden_release() -> None:
    assert RELEASES


@pytest.mark.parametrize("release", RELEASES, ids=lambda path: path.name)
def test_the_ledger_of_a_release_verifies(release: Path) -> None:
    steps: list[object] = []
    with open_archive(release / "export") as archive:
        Audit(archive, rooms=[Evaluations(), Warned()]).run(steps.append)
    assert len(steps) == 10
    policy = Policy.parse((release / "export" / "policy.txt").read_text())
    receipt = check_receipt((release / "invitation.tlog-proof").read_text(), policy)
    assert type(receipt.fact).__name__ == "CommitteeFormed"


@pytest.mark.parametrize("release", RELEASES, ids=lambda path: path.name)
@pytest.mark.parametrize("name", ["entries.jsonl", "ocds/releases.json", "charter.txt"])
def test_an_evil_twin_does_not(release: Path, name: str, tmp_path: Path) -> None:
    copy = shutil.copytree(release / "export", tmp_path / "copy")
    path = copy / name
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(Broken), open_archive(copy) as archive:
        Audit(archive, rooms=[Evaluations(), Warned()]).run(lambda _: None)


@pytest.mark.parametrize("release", RELEASES, ids=lambda path: path.name)
def test_the_envelope_of_a_release_opens(release: Path) -> None:
    v = json.loads((release / "kfe1.json").read_text())
    prefix, body = Prefix.parse(_hex(v["prefix"])), _hex(v["body"])
    assert prefix.eid == v["eid"]
    address = Address(v["tender"], v["lot"], v["stage"], _hex(v["kid"]), _hex(v["committee"]))
    lifted = admit(prefix, address)
    assert lifted.hex() == v["lifted"]
    check_body(prefix, [body])
    committee = Committee(address.key, tuple(map(_hex, v["verification_shares"])), 3)
    shares = [Share(s["trustee"], (_hex(s["point"]),), _hex(s["proof"])) for s in v["shares"]]
    for share in shares:
        check_share(share, committee, [lifted], _hex(v["bind"]))
    point = combine(shares, committee, 0)
    assert point.hex() == v["combined"]
    content = open_envelope(prefix, unwrap(prefix, point, address), _hex(v["cokey"]), [body])
    assert content.manifest.price.fen == v["price_fen"]
    assert content.certified.number == v["bidder"]


EVIL = {
    "prefix of another suite": lambda v: (
        v | {"prefix": v["prefix"][:8] + "0002" + v["prefix"][12:]}
    ),
    "a flipped header bit": lambda v: v | {"prefix": v["prefix"][:60] + "ff" + v["prefix"][62:]},
    "another tender": lambda v: v | {"tender": "0193d3f0-0000-7000-8000-000000000002"},
    "another committee": lambda v: v | {"committee": v["verification_shares"][0]},
    "a flipped body bit": lambda v: v | {"body": "00" + v["body"][2:]},
    "a cut body": lambda v: v | {"body": v["body"][:-2]},
    "swapped shares": lambda v: v | {"shares": [v["shares"][0] | {"trustee": 3}, *v["shares"][1:]]},
    "a forged proof": lambda v: (
        v | {"shares": [v["shares"][0] | {"proof": "00" * 64}, *v["shares"][1:]]}
    ),
    "a wrong co-key": lambda v: v | {"cokey": "11" * 32},
}


@pytest.mark.parametrize("name", EVIL)
@pytest.mark.parametrize("release", RELEASES, ids=lambda path: path.name)
def test_evil_envelopes_do_not_open(release: Path, name: str) -> None:
    v = EVIL[name](json.loads((release / "kfe1.json").read_text()))
    with pytest.raises((EnvelopeRefusal, ShareInvalid, Refusal)):
        opened(v)


def opened(v: dict) -> None:
    prefix, body = Prefix.parse(_hex(v["prefix"])), _hex(v["body"])
    address = Address(v["tender"], v["lot"], v["stage"], _hex(v["kid"]), _hex(v["committee"]))
    lifted = admit(prefix, address)
    check_body(prefix, [body])
    committee = Committee(address.key, tuple(map(_hex, v["verification_shares"])), 3)
    shares = [Share(s["trustee"], (_hex(s["point"]),), _hex(s["proof"])) for s in v["shares"]]
    for share in shares:
        check_share(share, committee, [lifted], _hex(v["bind"]))
    dek = unwrap(prefix, combine(shares, committee, 0), address)
    open_envelope(prefix, dek, _hex(v["cokey"]), [body])
