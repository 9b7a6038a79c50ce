"""RFC 9474: the platform signs an upload token blindly; later nobody knows whose it is."""

import math
from functools import cache

import msgspec
import pytest
from asn1crypto import keys
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st

from trading.envelope import token as tokens
from trading.envelope.token import Blinding, TokenIssuer, blind, check_token, finish
from trading.kernel.canonical import sha256
from trading.kernel.errors import EnvelopeRefusal, TokenInvalid


def number(digits: str) -> int:
    return int("".join(digits.split()), 16)


# RFC 9474 Appendix A.1 (RSABSSA-SHA384-PSS-Randomized); key, message and inv hold for A.2 to A.4.
P = number("""
e1f4d7a34802e27c7392a3cea32a262a34dc3691bd87f3f310dc75673488930559c120fd0410194fb8a0da55bd0b8122
7e843fdca6692ae80e5a5d414116d4803fca7d8c30eaaae57e44a1816ebb5c5b0606c536246c7f11985d731684150b63
c9a3ad9e41b04c0b5b27cb188a692c84696b742a80d3cd00ab891f2457443dadfeba6d6daf108602be26d7071803c671
05a5426838e6889d77e8474b29244cefaf418e381b312048b457d73419213063c60ee7b0d81820165864fef93523c963
5c22210956e53a8d96322493ffc58d845368e2416e078e5bcb5d2fd68ae6acfa54f9627c42e84a9d3f2774017e32ebca
06308a12ecc290c7cd1156dcccfb2311
""")
Q = number("""
c601a9caea66dc3835827b539db9df6f6f5ae77244692780cd334a006ab353c806426b60718c05245650821d39445d3a
b591ed10a7339f15d83fe13f6a3dfb20b9452c6a9b42eaa62a68c970df3cadb2139f804ad8223d56108dfde30ba7d367
e9b0a7a80c4fdba2fd9dde6661fc73fc2947569d2029f2870fc02d8325acf28c9afa19ecf962daa7916e21afad09eb62
fe9f1cf91b77dc879b7974b490d3ebd2e95426057f35d0a3c9f45f79ac727ab81a519a8b9285932d9b2e5ccd347e59f3
f32ad9ca359115e7da008ab7406707bd0e8e185a5ed8758b5ba266e8828f8d863ae133846304a2936ad7bc7c9803879d
2fc4a28e69291d73dbd799f8bc238385
""")
INVERSE = number("""
80682c48982407b489d53d1261b19ec8627d02b8cda5336750b8cee332ae260de57b02d72609c1e0e9f28e2040fc65b6
f02d56dbd6aa9af8fde656f70495dfb723ba01173d4707a12fddac628ca29f3e32340bd8f7ddb557cf819f6b01e445ad
96f874ba235584ee71f6581f62d4f43bf03f910f6510deb85e8ef06c7f09d9794a008be7ff2529f0ebb69decef646387
dc767b74939265fec0223aa6d84d2a8a1cc912d5ca25b4e144ab8f6ba054b54910176d5737a2cff011da431bd5f2a0d2
d66b9e70b39f4b050e45c0d9c16f02deda9ddf2d00f3e4b01037d7029cd49c2d46a8e1fc2c0c17520af1f4b5e25ba396
afc4cd60c494a4c426448b35b49635b337cfb08e7c22a39b256dd032c00adddafb51a627f99a0e1704170ac1f1912e49
d9db10ec04c19c58f420212973e0cb329524223a6aa56c7937c5dffdb5d966b6cd4cbc26f3201dd25c80960a1a111b32
947bb78973d269fac7f5186530930ed19f68507540eed9e1bab8b00f00d8ca09b3f099aae46180e04e3584bd7ca054df
18a1504b89d1d1675d0966c4ae1407be325cdf623cf13ff13e4a28b594d59e3eadbadf6136eee7a59d6a444c9eb4e219
8e8a974f27a39eb63af2c9af3870488b8adaad444674f512133ad80b9220e09158521614f1faadfe8505ef57b7df6813
048603f0dd04f4280177a11380fbfc861dbcbd7418d62155248dad5fdec0991f
""")
MESSAGE = """
8f3dc6fb8c4a02f4d6352edf0907822c1210a9b32f9bdda4c45a698c80023aa6b59f8cfec5fdbb36331372ebefedae7d
"""
SALT = """
051722b35f458781397c3a671a7d3bd3096503940e4c4f1aaa269d60300ce449555cd7340100df9d46944c5356825abf
"""
PREFIX = "8417e699b219d583fb6216ae0c53ca0e9723442d02f1d1a34295527e7d929e8b"
# blinded_msg, blind_sig and sig, one after another.
PRINTED = """
aa3ee045138d874669685ffaef962c7694a9450aa9b4fd6465db9b3b75a522bb921c4c0fdcdfae9667593255099cff51
f5d3fd65e8ffb9d3b3036252a6b51b6edfb3f40382b2bbf34c0055e4cbcc422850e586d84f190cd449af11dc65545f5f
e26fd89796eb87da4bda0c545f397cddfeeb56f06e28135ec74fd477949e7677f6f36cfae8fd5c1c5898b03b9c244cf6
d1a4fb7ad1cb43aff5e80cb462fac541e72f67f0a50f1843d1759edfaae92d1a916d3f0efaf4d650db416c3bf8abdb54
14a78cebc97de676723cb119e77aea489f2bbf530c440ebc5a75dccd3ebf5a412a5f346badd61bee588e5917bdcce9dc
33c882e39826951b0b8276c6203971947072b726e935816056ff5cb11a71ca2946478584126bb877acdf87255f26e6cc
a4e0878801307485d3b7bb89b289551a8b65a7a6b93db010423d1406e149c87731910306e5e410b41d4da3234624e74f
92845183e323cf7eb244f212a695f8856c675fbc3a021ce649e22c6f0d053a9d238841cf3afdc2739f99672a419ae13c
17f1f8a3bc302ec2e7b98e8c353898b7150ad8877ec841ea6e4b288064c254fefd0d049c3ad196bf7ffa535e74585d01
20ce728036ed500942fbd5e6332c298f1ffebe9ff60c1e117b274cf0cb9d70c36ee4891528996ec1ed0b178e9f3c0c0e
6120885f39e8ccaadbb20f3196378c07b1ff22d10049d3039a7a92fe7efdd95d
3f4a79eacd4445fca628a310d41e12fcd813c4d43aa4ef2b81226953248d6d00adfee6b79cb88bfa1f99270369fd063c
023e5ed546719b0b2d143dd1bca46b0e0e615fe5c63d95c5a6b873b8b50bc52487354e69c3dfbf416e7aca18d5842c89
b676efdd38087008fa5a810161fcdec26f20ccf2f1e6ab0f9d2bb93e051cb9e86a9b28c5bb62fd5f5391379f887c0f70
6a08bcc3b9e7506aaf02485d688198f5e22eefdf837b2dd919320b17482c5cc54271b4ccb41d267629b3f844fd63750b
01f5276c79e33718bb561a152acb2eb36d8be75bce05c9d1b94eb609106f38226fb2e0f5cd5c5c39c59dda166862de49
8b8d92f6bcb41af433d65a2ac23da87f39764cb64e79e74a8f4ce4dd567480d967cefac46b6e9c06434c371563583435
7edd2ce6f105eea854ac126ccfa3de2aac5607565a4e5efaac5eed491c335f6fc97e6eb7e9cea3e12de38dfb315220c0
a3f84536abb2fdd722813e083feda010391ac3d8fd1cd9212b5d94e634e69ebcc800c4d5c4c1091c64afc37acf563c7f
c0a6e4c082bc55544f50a7971f3fb97d5853d72c3af34ffd5ce123998be5360d1059820c66a81e1ee6d9c1803b5b62af
6bc877526df255b6d1d835d8c840bebbcd6cc0ee910f17da37caf8488afbc08397a1941fcc79e76a5888a95b3d5405e1
3f737bea5c78d716a48eb9dc0aec8de39c4b45c6914ad4a8185969f70b1adf46
191e941c57510e22d29afad257de5ca436d2316221fe870c7cb75205a6c071c2735aed0bc24c37f3d5bd960ab97a829a
508f966bbaed7a82645e65eadaf24ab5e6d9421392c5b15b7f9b640d34fec512846a3100b80f75ef51064602118c1a77
d28d938f6efc22041d60159a518d3de7c4d840c9c68109672d743d299d8d2577ef60c19ab463c716b3fa75fa56f57353
49d414a44df12bf0dd44aa3e10822a651ed4cb0eb6f47c9bd0ef14a034a7ac2451e30434d513eb22e68b7587a8de9b4e
63a059d05c8b22c7c51e2cfee2d8bef511412e93c859a13726d87c57d1bc4c2e68ab121562f839c3a3d233e87ed63c69
b7e57525367753fbebcc2a9805a2802659f5888b2c69115bf865559f10d906c09d048a0d71bfee4b33857393ec2b69e4
51433496d02c9a7910abb954317720bbde9e69108eafc3e90bad3d5ca4066d7b1e49013fa04e948104a1dd82b12509ec
b146e948c54bd8bfb5e6d18127cd1f7a93c3cf9f2d869d5a78878c03fe808a0d799e910be6f26d18db61c485b303631d
3568368fc41986d08a95ea6ac0592240c19d7b22416b9c82ae6241e211dd5610d0baaa9823158f9c32b66318f5529491
b7eeadcaa71898a63bac9d95f4aa548d5e97568d744fc429104e32edd9c87519892a198a30d333d427739ffb9607b092
e910ae37771abf2adb9f63bc058bf58062ad456cb934679795bbdfcdfad5e0f2
"""
# A.2 to A.4: prefix, salt, and the SHA-256 of the same three as they are printed there.
PREFIX_2 = "84ea86c8cf3beedfed73beceabd792027c609d1100bf041fdd60d826a718130d"
OTHER_VARIANTS = [
    (PREFIX_2, "", "96b80a9f3848e2e9af3d3ab1ffff0f11cfd2062c98e1986b0ea7d8f1c8feafd7"),
    ("", SALT, "f2d1199d854d53b76e7e76e26c9004196c9fc881fa75b331f690ea72b02e9d28"),
    ("", "", "2cb6e20ae09a69f386074b8e6ad1c675f2d54fb4730293f325184e8b177edea0"),
]
PUBLIC = rsa.RSAPublicNumbers(65537, P * Q)
ISSUER, OTHER = TokenIssuer.generate(), TokenIssuer.generate()
N = ISSUER._private.public_numbers.n


@cache
def private(p: int, q: int) -> rsa.RSAPrivateKey:
    d = pow(65537, -1, math.lcm(p - 1, q - 1))
    rest = d % (p - 1), d % (q - 1), pow(q, -1, p), rsa.RSAPublicNumbers(65537, p * q)
    return rsa.RSAPrivateNumbers(p, q, d, *rest).private_key()


def issued(issuer: TokenIssuer = ISSUER) -> tuple[Blinding, bytes, bytes]:
    blinding = blind(issuer.public)
    signature = issuer.sign(blinding.blinded)
    return blinding, signature, finish(issuer.public, blinding, signature)


TOKEN = issued()[2]


def key_of(modulus: int, exponent: int) -> bytes:
    key = keys.RSAPublicKey({"modulus": modulus, "public_exponent": exponent})
    return keys.PublicKeyInfo.wrap(key, "rsa").dump()


def steps_of_the_rfc(prefix: str, salt: str) -> bytes:
    prepared = bytes.fromhex(prefix + MESSAGE)
    r = pow(INVERSE, -1, PUBLIC.n)
    blinded, inverse = tokens._blind(PUBLIC, prepared, bytes.fromhex(salt), r)
    assert inverse == INVERSE
    blind_signature = TokenIssuer(private(P, Q)).sign(blinded)
    return blinded + blind_signature + tokens._unblind(PUBLIC, inverse, blind_signature)


def test_every_step_gives_what_appendix_a1_prints() -> None:
    assert steps_of_the_rfc(PREFIX, SALT) == bytes.fromhex(PRINTED)


@pytest.mark.parametrize(("prefix", "salt", "digest"), OTHER_VARIANTS, ids=["A.2", "A.3", "A.4"])
def test_the_other_variants_follow_from_the_same_steps(prefix: str, salt: str, digest: str) -> None:
    assert sha256(steps_of_the_rfc(prefix, salt)).hex() == digest


def test_an_honest_token_is_accepted_and_carries_the_message_behind_a_random_prefix() -> None:
    blinding = blind(ISSUER.public, b"m" * 32)
    token = finish(ISSUER.public, blinding, ISSUER.sign(blinding.blinded))
    check_token(ISSUER.public, token)
    assert len(token) == len(TOKEN) == 64 + 256
    assert token[:64] == blinding.message
    assert token[32:64] == b"m" * 32


def test_a_modulus_of_2049_bits_works_though_the_encoding_is_a_byte_shorter() -> None:
    longer = rsa.generate_private_key(65537, 2050).private_numbers().p
    issuer = TokenIssuer(private(longer, ISSUER._private.p))
    n, token = issuer._private.public_numbers.n, issued(issuer)[2]
    assert n.bit_length() == 2049
    assert len(token) == 64 + 257
    same = int.from_bytes(token[64:]) + n  # but not below the modulus
    with pytest.raises(TokenInvalid):
        check_token(issuer.public, token[:64] + same.to_bytes(257))


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_message_of_another_size_is_not_blinded(size: int) -> None:
    with pytest.raises(TokenInvalid):
        blind(ISSUER.public, b"m" * size)


def test_a_token_of_another_tender_is_refused() -> None:
    with pytest.raises(EnvelopeRefusal) as refused:
        check_token(OTHER.public, TOKEN)
    assert refused.value.code == "KF-312"


def test_every_flipped_bit_of_a_token_is_refused() -> None:
    for bit in range(len(TOKEN) * 8):
        altered = bytearray(TOKEN)
        altered[bit // 8] ^= 1 << bit % 8
        with pytest.raises(TokenInvalid):
            check_token(ISSUER.public, bytes(altered))


def test_a_token_of_another_size_or_of_zeros_is_refused() -> None:
    for token in (b"", TOKEN[:63], TOKEN[:-1], TOKEN + b"\0", bytes(320)):
        with pytest.raises(TokenInvalid):
            check_token(ISSUER.public, token)


HOSTILE = {
    "nothing": b"",
    "more than a key": ISSUER.public + b"\0",
    "an Ed25519 key": bytes.fromhex("302a300506032b6570032100") + bytes(32),
    "2047 bits": key_of((1 << 2046) + 1, 65537),
    "4097 bits": key_of((1 << 4096) + 1, 65537),
    "a small exponent": key_of(N, 3),
    "the largest small exponent": key_of(N, 65535),
    "an even exponent": key_of(N, 65538),
    "an exponent of 257 bits": key_of(N, (1 << 256) + 1),
    "a negative modulus": key_of(-N, 65537),
    "an even modulus": key_of(1 << 2047, 65537),
}


@pytest.mark.parametrize("public", HOSTILE.values(), ids=HOSTILE)
def test_an_unfit_key_neither_checks_nor_blinds(public: bytes) -> None:
    with pytest.raises(TokenInvalid):
        check_token(public, TOKEN)
    with pytest.raises(TokenInvalid):
        blind(public)


def partly_replaced(valid: bytes) -> st.SearchStrategy[bytes]:
    place = st.integers(0, len(valid))
    return st.builds(lambda a, b, new: valid[:a] + new + valid[b:], place, place, st.binary())


@given(st.binary() | partly_replaced(ISSUER.public), st.binary() | partly_replaced(TOKEN))
def test_hostile_bytes_are_only_ever_refused(public: bytes, token: bytes) -> None:
    for key in (public, ISSUER.public):
        try:
            check_token(key, token)
        except TokenInvalid:
            continue
        assert token == TOKEN


def test_the_issuer_signs_only_what_is_below_its_modulus_and_of_its_length() -> None:
    assert ISSUER.sign((N - 1).to_bytes(256)) == (N - 1).to_bytes(256)
    for wrong in (b"", bytes(255), bytes(257), N.to_bytes(256), b"\xff" * 256):
        with pytest.raises(TokenInvalid):
            ISSUER.sign(wrong)


def test_a_fault_in_the_private_operation_never_leaves_the_issuer() -> None:
    issuer = TokenIssuer(ISSUER._key)
    k = issuer._private
    faulty = k.p, k.q, k.d, k.dmp1 ^ 2, k.dmq1, k.iqmp, k.public_numbers
    issuer._private = rsa.RSAPrivateNumbers(*faulty)
    with pytest.raises(TokenInvalid, match="signing failure"):
        issuer.sign((2).to_bytes(256))


def test_a_blind_signature_of_another_issuer_length_or_bidder_is_no_token() -> None:
    mine, signature, _ = issued()
    for wrong in (OTHER.sign(bytes(255) + b"\2"), signature[:-1], b"", bytes(256)):
        with pytest.raises(TokenInvalid):
            finish(ISSUER.public, mine, wrong)
    with pytest.raises(TokenInvalid):
        finish(ISSUER.public, issued()[0], signature)


def test_a_key_or_a_blind_that_shares_a_factor_is_refused() -> None:
    """RFC 9474 section 4.2, steps 5 and 8."""
    with pytest.raises(TokenInvalid, match="blinding error"):
        tokens._blind(PUBLIC, b"", b"", P)
    unlucky = next(m for m in map(bytes, range(99)) if tokens._encode(m, b"", 2047) % 3 == 0)
    with pytest.raises(TokenInvalid, match="invalid input"):
        tokens._blind(rsa.RSAPublicNumbers(65537, 3 << 2046 | 3), unlucky, b"", 2)


def test_what_the_issuer_saw_has_nothing_in_common_with_the_token() -> None:
    blinding, signature, token = issued()
    seen = blinding.blinded + signature
    runs = {seen[i : i + 6] for i in range(len(seen))}
    assert not any(token[i : i + 6] in runs for i in range(len(token) - 5))


def test_each_token_fits_each_issuance_equally_well() -> None:
    """Blindness: for every pair there is one r that explains it, so none can be told apart."""
    issuances = [issued() for _ in range(3)]
    for blinding, signature, _ in issuances:
        for _, _, token in issuances:
            s = int.from_bytes(token[64:])
            r = pow(int.from_bytes(blinding.blinded) * pow(s, -65537, N), ISSUER._private.d, N)
            assert s * r % N == int.from_bytes(signature)


def test_one_message_blinded_twice_has_nothing_alike() -> None:
    first, second = (msgspec.structs.astuple(blind(ISSUER.public, b"m" * 32)) for _ in range(2))
    assert all(one != other for one, other in zip(first, second, strict=True))


def pem_of(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, password: bytes = b"") -> bytes:
    locked = serialization.BestAvailableEncryption(password) if password else None
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(*form, locked or serialization.NoEncryption())


def test_an_issuer_comes_back_from_its_pem_but_not_from_an_unfit_one() -> None:
    assert TokenIssuer.from_pem(ISSUER.pem()).public == ISSUER.public
    curve, small = ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 1024)
    for pem in (b"", pem_of(curve), pem_of(small), pem_of(ISSUER._key, b"password")):
        with pytest.raises(TokenInvalid):
            TokenIssuer.from_pem(pem)
