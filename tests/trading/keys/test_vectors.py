"""COCKTAIL-DKG and HPKE against published vectors; KFE1 against the draft's envelope."""

import io
import json
import uuid

import pytest

from trading.envelope.admit import admit, check_body
from trading.envelope.layout import PREFIX, Address, Prefix
from trading.envelope.unseal import _decrypt, check_cokey, unwrap
from trading.keys import dkg, schnorr
from trading.keys.dkg import Ceremony, Committee, Deal
from trading.keys.group import decode_scalar, encode_scalar, to_montgomery
from trading.keys.hpke import key_schedule
from trading.keys.opening import combine, make_share

_hex = bytes.fromhex


def _vectors(shared) -> list[dict]:
    path = shared("vectors", "ledger", "cocktail-dkg-ed25519-sha512.json")
    return json.loads(path.read_text())["vectors"]


def _ceremony(v: dict) -> Ceremony:
    members = tuple(_hex(key) for key in v["config"]["static_public_keys"])
    return Ceremony(v["t"], members, _hex(v["session_tag"]))


def _deals(v: dict) -> list[Deal]:
    return [
        Deal(
            tuple(_hex(point) for point in r["vss_commitment"]),
            _hex(r["ephemeral_public_key"]),
            _hex(r["pop"]),
            tuple(_hex(share) for share in r["encrypted_shares"]),
        )
        for r in v["round1"]
    ]


@pytest.mark.parametrize("number", [0, 1])
def test_cocktail_ceremonies_byte_for_byte(shared, number: int) -> None:
    v = _vectors(shared)[number]
    ceremony, deals = _ceremony(v), _deals(v)
    assert ceremony.context == _hex(v["context"])
    secrets = [decode_scalar(_hex(key)) for key in v["config"]["static_secret_keys"]]
    for index, secret in enumerate(secrets, 1):
        share = dkg.receive(index, secret, ceremony, deals)
        assert encode_scalar(share) == _hex(v["round2"][index - 1]["secret_share"])
    committee = dkg.committee(ceremony, deals)
    assert committee.key == _hex(v["group_public_key"])
    assert list(committee.shares) == [_hex(r["verification_share"]) for r in v["round2"]]
    text = dkg.transcript(ceremony, deals, _hex(v["extension"]))
    for item in v["round3"]["signatures"]:
        signature = schnorr.sign(secrets[item["signer_id"] - 1], text)
        assert signature == _hex(item["signature"])
    signatures = [_hex(item["signature"]) for item in v["round3"]["signatures"]]
    assert len(dkg.certify(ceremony, text, signatures)) == 32


def test_cocktail_recovery_from_the_long_term_key_alone(shared) -> None:
    (v,) = (v for v in _vectors(shared) if "recovery" in v)
    recovery = v["recovery"]
    secret = decode_scalar(_hex(v["config"]["static_secret_keys"][recovery["participant_id"] - 1]))
    own, share = dkg.recover(secret, _ceremony(v), _deals(v))
    assert own == recovery["participant_id"]
    assert encode_scalar(share) == _hex(recovery["recovered_secret_share"])


def test_hpke_key_schedule_of_rfc_9180(shared) -> None:
    from cryptography.hazmat.primitives.asymmetric import x25519

    path = shared("vectors", "ledger", "hpke", "rfc9180-base-x25519-p256-sha256.json")
    checked = 0
    for v in json.loads(path.read_text()):
        if v["kem_id"] != 0x20 or v["aead_id"] not in (1, 2, 3):
            continue
        private = x25519.X25519PrivateKey.from_private_bytes(_hex(v["skRm"]))
        dh = private.exchange(x25519.X25519PublicKey.from_public_bytes(_hex(v["enc"])))
        found = key_schedule(dh, _hex(v["enc"]), _hex(v["pkRm"]), _hex(v["info"]), v["aead_id"])
        assert found == (_hex(v["shared_secret"]), _hex(v["key"]), _hex(v["base_nonce"]))
        checked += 1
    assert checked >= 3


def test_the_draft_envelope_is_admitted_and_opened(shared) -> None:
    v = json.loads(shared("vectors", "ledger", "kfe1-draft", "kfe1-3of5.json").read_text())
    raw = _hex(v["envelope"])
    prefix = Prefix.parse(raw[:PREFIX])
    header = prefix.header
    tender = str(uuid.UUID(bytes=header.tender))
    address = Address(tender, header.lot, header.stage, _hex(v["kid"]), _hex(v["Y"]))
    lifted = admit(prefix, address)
    assert lifted == _hex(v["R"])
    check_body(prefix, [raw[PREFIX:]])
    shares = [
        make_share(i, decode_scalar(_hex(v["shares"][i - 1])), [lifted], b"any") for i in (2, 3, 5)
    ]
    assert [share.points[0].hex() for share in shares] == [v["partials"][str(i)] for i in (2, 3, 5)]
    committee = Committee(_hex(v["Y"]), tuple(_hex(item) for item in v["Yi"]), v["t"])
    combined = combine(shares, committee, 0)
    assert to_montgomery(combined) == _hex(v["dh"])
    check_cokey(prefix, _hex(v["cokey"]))
    plain = io.BytesIO()
    _decrypt(prefix, unwrap(prefix, combined, address), _hex(v["cokey"]), [raw[PREFIX:]], plain)
    assert plain.getvalue() == _hex(v["plaintext"])
