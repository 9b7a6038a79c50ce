"""KFE1: sealed by the bidder, admitted by anyone, opened only by the committee; streamed."""

import io
import os
import tracemalloc
import uuid
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.envelope.admit import admit, check_body, check_replacement, check_withdrawal
from trading.envelope.content import Bidder, Manifest, Price, describe_files
from trading.envelope.identity import Authority, check_signature
from trading.envelope.layout import (
    PREFIX,
    Address,
    Prefix,
    Stage,
    body_size,
    padded_size,
)
from trading.envelope.seal import BidKey, Sealing, seal, withdrawal_message
from trading.envelope.unseal import check_cokey, open_envelope, unwrap
from trading.kernel.errors import (
    BodyAltered,
    CannotOpen,
    CokeyWrong,
    ContentMalformed,
    EnvelopeRefusal,
    Malformed,
    NotSealed,
    Refusal,
    ReplacementInvalid,
    WrongCommittee,
    WrongTender,
)
from trading.kernel.files import read_chunks
from trading.keys.group import base, multiply, random_scalar

SECRET = random_scalar()
ADDRESS = Address(str(uuid.UUID(int=7)), 1, Stage.PRICE, b"k" * 32, base(SECRET))
DOCUMENTS = msgspec.structs.replace(ADDRESS, stage=Stage.TECHNICAL)
AUTHORITY = Authority.create("CA", datetime(2026, 1, 1, tzinfo=UTC))
IDENTITY = AUTHORITY.issue("91330", "甲公司")


def manifest(address: Address = ADDRESS, **changes: object) -> Manifest:
    wanted = Manifest(
        Bidder("91330", "甲公司"), (), address.lot, Price(123), address.stage, address.tender
    )
    return msgspec.structs.replace(wanted, **changes)


def sealed(**changes: object) -> bytes:
    out = io.BytesIO()
    options = {"address": ADDRESS, "key": BidKey(), "identity": IDENTITY} | changes
    seal(manifest(), None, Sealing(**options), out)  # type: ignore[arg-type]
    return out.getvalue()


def opened(raw: bytes, cokey: bytes = b"", address: Address = ADDRESS):
    prefix = Prefix.parse(raw[:PREFIX])
    lifted = admit(prefix, address)
    check_body(prefix, [raw[PREFIX:]])
    dek = unwrap(prefix, multiply(SECRET, lifted), address)
    return open_envelope(prefix, dek, cokey, [raw[PREFIX:]])


def test_a_price_comes_back_with_its_signature() -> None:
    raw = sealed()
    content = opened(raw)
    assert content.manifest.price == Price(123)
    assert content.certified.number == "91330"
    assert content.certified.subject == "甲公司"
    assert len(raw) == 66_090  # every price envelope has one size


def test_pyca_hpke_opens_the_wrap_under_an_ordinary_key() -> None:
    """The wrap is RFC 9180: a plain X25519 key in the committee's place opens it."""
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
    from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

    from trading.envelope.layout import wrap_info
    from trading.keys.group import lift

    private = X25519PrivateKey.generate()
    key = lift(private.public_key().public_bytes_raw())
    address = msgspec.structs.replace(ADDRESS, key=key)
    prefix = Prefix.parse(sealed(address=address)[:PREFIX])
    suite = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
    dek = suite.decrypt(prefix.enc + prefix.wct, private, info=wrap_info(prefix.header))
    assert len(dek) == 32


def test_every_flipped_bit_of_the_prefix_is_refused() -> None:
    raw = sealed()
    for bit in range(PREFIX * 8):
        altered = bytearray(raw[:PREFIX])
        altered[bit // 8] ^= 1 << bit % 8
        with pytest.raises(EnvelopeRefusal):
            admit(Prefix.parse(bytes(altered)), ADDRESS)


@given(st.integers(0, 65_671), st.integers(1, 255))
def test_every_changed_byte_of_the_body_is_refused(place: int, change: int) -> None:
    raw = bytearray(_SEALED)
    raw[PREFIX + place] ^= change
    with pytest.raises(BodyAltered):
        check_body(Prefix.parse(bytes(raw[:PREFIX])), [bytes(raw[PREFIX:])])


_SEALED = sealed()


def test_a_copied_envelope_is_refused_under_another_pseudonym() -> None:
    """Copy attack: somebody else's enc and wct, a new key, a new signature."""
    victim = Prefix.parse(sealed()[:PREFIX])
    thief = BidKey()
    header = msgspec.structs.replace(victim.header, vk=thief.public)
    from trading.envelope.layout import signed_message

    sig = thief.sign(signed_message(header, victim.enc, victim.wct, victim.pok))
    copied = msgspec.structs.replace(victim, header=header, sig=sig)
    with pytest.raises(EnvelopeRefusal) as refused:
        admit(copied, ADDRESS)
    assert refused.value.code == "KF-308"


@pytest.mark.parametrize(
    ("address", "refusal"),
    [
        (msgspec.structs.replace(ADDRESS, tender=str(uuid.UUID(int=8))), WrongTender),
        (msgspec.structs.replace(ADDRESS, lot=2), WrongTender),
        (msgspec.structs.replace(ADDRESS, stage=1), WrongTender),
        (msgspec.structs.replace(ADDRESS, kid=b"j" * 32), WrongCommittee),
        (msgspec.structs.replace(ADDRESS, key=base(5)), EnvelopeRefusal),
    ],
)
def test_an_envelope_for_another_place_is_refused(address: Address, refusal: type) -> None:
    with pytest.raises(refusal):
        admit(Prefix.parse(_SEALED[:PREFIX]), address)


@pytest.mark.parametrize("length", [0, 3, 4, 10, 209, 417])
def test_truncated_prefixes_are_refused(length: int) -> None:
    with pytest.raises((Malformed, NotSealed)):
        Prefix.parse(_SEALED[:length])


@pytest.mark.parametrize("cut", [1, 16, 40_000])
def test_truncated_and_extended_bodies_are_refused(cut: int) -> None:
    prefix = Prefix.parse(_SEALED[:PREFIX])
    for body in (_SEALED[PREFIX:-cut], _SEALED[PREFIX:] + bytes(cut)):
        with pytest.raises(BodyAltered):
            check_body(prefix, [body])


def test_the_wrong_key_opens_nothing() -> None:
    prefix = Prefix.parse(_SEALED[:PREFIX])
    with pytest.raises(CannotOpen):
        unwrap(prefix, multiply(SECRET + 1, admit(prefix, ADDRESS)), ADDRESS)
    with pytest.raises(CannotOpen):
        open_envelope(prefix, os.urandom(32), b"", [_SEALED[PREFIX:]])


def test_a_cokey_is_needed_and_checked() -> None:
    cokey = os.urandom(32)
    raw = sealed(cokey=cokey)
    assert opened(raw, cokey).manifest.price == Price(123)
    prefix = Prefix.parse(raw[:PREFIX])
    for wrong in (b"", os.urandom(32)):
        with pytest.raises(CokeyWrong):
            check_cokey(prefix, wrong)
        with pytest.raises(CokeyWrong):
            opened(raw, wrong)
    with pytest.raises(CokeyWrong):
        check_cokey(Prefix.parse(_SEALED[:PREFIX]), cokey)


def test_replacements_follow_one_another() -> None:
    key = BidKey()
    first = Prefix.parse(sealed(key=key)[:PREFIX])
    second = Prefix.parse(sealed(key=key, replaces=first)[:PREFIX])
    third = Prefix.parse(sealed(key=key, replaces=second)[:PREFIX])
    check_replacement(first, None)
    check_replacement(second, first)
    check_replacement(third, second)
    stranger = Prefix.parse(sealed(replaces=first)[:PREFIX])
    for new, old in ((second, None), (third, first), (first, second), (stranger, first)):
        with pytest.raises(ReplacementInvalid):
            check_replacement(new, old)


def test_withdrawals_are_signed_by_the_pseudonym() -> None:
    key = BidKey()
    prefix = Prefix.parse(sealed(key=key)[:PREFIX])
    message = withdrawal_message(prefix, prefix.header.seq)
    check_withdrawal(prefix, key.sign(message))
    with pytest.raises(ReplacementInvalid):
        check_withdrawal(prefix, BidKey().sign(message))


def _files(folder: Path, **content: bytes) -> Path:
    folder.mkdir()
    for name, data in content.items():
        (folder / name).write_bytes(data)
    return folder


def test_files_come_back_byte_for_byte(tmp_path: Path) -> None:
    folder = _files(tmp_path / "in", a=b"", b=b"x" * 16_384, c=os.urandom(1_500_000))
    wanted = manifest(DOCUMENTS, files=describe_files(folder), price=None)
    path = tmp_path / "bid.kfe"
    with path.open("w+b") as out:
        prefix = seal(wanted, folder, Sealing(address=DOCUMENTS, key=BidKey()), out)
    assert path.stat().st_size == PREFIX + prefix.header.blen
    chunks = read_chunks(path)
    body = [next(chunks)[PREFIX:], *chunks]
    dek = unwrap(prefix, multiply(SECRET, admit(prefix, DOCUMENTS)), DOCUMENTS)
    out_folder = tmp_path / "out"
    out_folder.mkdir()
    content = open_envelope(prefix, dek, b"", body, out_folder)
    assert content.manifest == wanted
    assert content.certified is None
    assert {p.name: p.read_bytes() for p in out_folder.iterdir()} == {
        p.name: p.read_bytes() for p in folder.iterdir()
    }


def test_a_large_file_needs_constant_memory(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    with (folder / "big").open("wb") as big:
        for _ in range(96):
            big.write(os.urandom(1 << 20))
    tracemalloc.start()
    path = tmp_path / "bid.kfe"
    with path.open("w+b") as out:
        wanted = manifest(DOCUMENTS, files=describe_files(folder), price=None)
        prefix = seal(wanted, folder, Sealing(address=DOCUMENTS, key=BidKey()), out)
    chunks = read_chunks(path)
    first = next(chunks)[PREFIX:]

    def body():
        yield first
        yield from chunks

    dek = unwrap(prefix, multiply(SECRET, admit(prefix, DOCUMENTS)), DOCUMENTS)
    out_folder = tmp_path / "out"
    out_folder.mkdir()
    open_envelope(prefix, dek, b"", body(), out_folder)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 24 << 20
    assert (out_folder / "big").stat().st_size == 96 << 20


def test_a_file_that_shrinks_while_it_is_sealed_is_noticed(tmp_path: Path) -> None:
    folder = _files(tmp_path / "in", a=b"12345")
    entries = describe_files(folder)
    (folder / "a").write_bytes(b"1234")
    with pytest.raises(ContentMalformed):
        seal(
            manifest(DOCUMENTS, files=entries),
            folder,
            Sealing(address=DOCUMENTS, key=BidKey()),
            io.BytesIO(),
        )


@pytest.mark.parametrize("name", ["../evil", "a/b", "..", "", "a\0b", "a\\b"])
def test_names_that_leave_the_folder_never_come_out(name: str) -> None:
    from trading.envelope.content import FileEntry, _manifest

    wanted = manifest(files=(FileEntry(name, 0, "00"),))
    header = Prefix.parse(_SEALED[:PREFIX]).header
    with pytest.raises(ContentMalformed):
        _manifest(wanted.pack(), header)


def test_a_manifest_for_another_tender_is_refused() -> None:
    other = manifest(tender=str(uuid.UUID(int=9)))
    out = io.BytesIO()
    seal(other, None, Sealing(address=ADDRESS, key=BidKey()), out)
    with pytest.raises(ContentMalformed):
        opened(out.getvalue())


def test_signatures_of_others_do_not_pass() -> None:
    message = b"this bid"
    der = IDENTITY.sign(message)
    assert check_signature(der, message).number == "91330"
    for bad, text in (
        (der, b"that bid"),
        (der[:-1] + bytes([der[-1] ^ 1]), message),
        (b"", message),
    ):
        with pytest.raises(ContentMalformed):
            check_signature(bad, text)


@given(st.integers(0, 1 << 34))
def test_padding_hides_sizes_within_twelve_percent(size: int) -> None:
    padded = padded_size(size, Stage.TECHNICAL)
    assert padded >= max(size, 1 << 20)
    assert padded == 1 << 20 or padded <= size * 1.12
    assert padded_size(padded, Stage.TECHNICAL) == padded
    assert body_size(padded) > padded


def test_refusals_speak_both_languages() -> None:
    with pytest.raises(Refusal) as refused:
        Prefix.parse(b"%PDF-1.7" + bytes(500))
    assert "密封" in refused.value.text("zh")
    assert "not sealed" in refused.value.text("en")
    assert str(refused.value).startswith("KF-301")
