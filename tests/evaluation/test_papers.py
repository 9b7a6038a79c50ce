"""文书: from facts to PDF/A, the same bytes every time, sealed, stamped, validated by pyHanko."""

import hashlib
import io
import json
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pypdfium2
import pytest
from asn1crypto import keys, pem
from asn1crypto import x509 as asn1_x509
from builders import AStory
from centre import TestCentre
from commands import kaifeng
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from panels import SCORED, ASitting, plain
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.timestamps import DummyTimeStamper
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from evaluation.casefile import case_of
from evaluation.desks.papers import PaperDesk
from evaluation.pades import PaperSeal
from evaluation.paper import typeset
from evaluation.papers import PAPERS
from trading.facts.panel import DissentWritten
from trading.facts.rubric import Item
from trading.kernel.errors import ContentMalformed, PaperRefusal, StreamUnknown

ISSUER = "某县公共资源交易中心"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def fill(member: str, bid: str, item: Item) -> str:
    if item.code == "responsive" and bid == "2":
        return "no"
    if item.code == "plan":
        return {"seat-1": "12", "seat-2": "19.5"}.get(member, "12.5")
    return plain(member, bid, item)


@pytest.fixture
def reported(centre: TestCentre) -> ASitting:
    """A rejected bid, a score far from the others, a dissent, a presumed consent, a contract."""
    story = AStory(
        centre,
        method="comprehensive-evaluation",
        parameters={"price_weight": "70"},
        rubric=SCORED,
    ).to_opening()
    sitting = ASitting(centre, story).seated().reviewed_all(fill).reported()
    sitting.sign("seat-1", "seat-2", "seat-3")
    sitting.act("seat-4", DissentWritten(text="对第一名的业绩有保留意见"))
    sitting.later(minutes=31)
    sitting.desk.presume_consent(sitting.tender, "seat-5")
    sitting.desk.conclude(sitting.tender)
    story.ranked().publicised().awarded()
    return sitting


def text_of(pdf: bytes) -> str:
    with pypdfium2.PdfDocument(pdf) as document:
        return "".join(page.get_textpage().get_text_bounded() for page in document)


def composed(sitting: ASitting, kind: str) -> bytes:
    case = case_of(sitting.centre.ledger.stream, sitting.tender, ISSUER)
    return typeset(PAPERS[kind].compose(case))


def test_the_report_tells_everything(reported: ASitting) -> None:
    told = text_of(composed(reported, "evaluation-report")).replace("\n", "").replace("\r", "")
    for said in (
        "开封招字第 1 号",
        "98,000.00",
        "玖万捌仟元整",
        "条例 51（六）",
        "不符合",
        "评分偏离：评委 2",
        "对第一名的业绩有保留意见",
        "视为同意",
        "综合评估法",
        "第 1 名",
        "评标基准价",
    ):
        assert said.replace(" ", "") in told.replace(" ", ""), said


def test_the_same_facts_give_the_same_bytes_in_another_process(
    reported: ASitting, tmp_path: Path
) -> None:
    export = reported.centre.export()
    made = []
    for name in ("a.pdf", "b.pdf"):
        out = tmp_path / name
        done = kaifeng(
            "paper", export, reported.tender, "evaluation-report", "--out", out, "--issuer", ISSUER
        )
        assert done.returncode == 0, done.stderr
        made.append(out.read_bytes())
    assert made[0] == made[1] == composed(reported, "evaluation-report")
    assert b"pdfaid" in made[0]


@pytest.mark.parametrize("kind", list(PAPERS), ids=lambda kind: kind.code)
def test_every_paper_is_made_and_embeds_its_fonts(reported: ASitting, kind) -> None:
    pdf = composed(reported, kind.code)
    reader = PdfFileReader(io.BytesIO(pdf))
    fonts = [
        reader.get_object(reference)
        for reference in reader.xrefs.explicit_refs_in_revision(0)
        if _is_font(reader, reference)
    ]
    assert kind.zh in text_of(pdf)
    assert fonts
    assert all("/FontFile3" in font or "/FontFile2" in font for font in fonts)


def _is_font(reader: PdfFileReader, reference) -> bool:
    found = reader.get_object(reference)
    return isinstance(found, dict) and found.get("/Type") == "/FontDescriptor"


def test_papers_that_are_not_there_yet(centre: TestCentre) -> None:
    story = AStory(centre).bidding()
    case = case_of(centre.ledger.stream, story.tender, ISSUER)
    for kind in PAPERS:
        with pytest.raises(PaperRefusal):
            kind.compose(case)
    with pytest.raises(StreamUnknown):
        case_of(centre.ledger.stream, "nobody", ISSUER)


class Certificates:
    """A root, a seal that may not be repudiated, and a timestamping authority, all of our own."""

    def __init__(self) -> None:
        self.root_key = ec.generate_private_key(ec.SECP256R1())
        self.root = self._issue("演练根 CA", self.root_key, ca=True)
        self.seal_key = ec.generate_private_key(ec.SECP256R1())
        self.seal = self._issue(ISSUER, self.seal_key)
        self.clock_key = rsa.generate_private_key(65537, 2048)
        self.clock = self._issue("演练时间戳", self.clock_key, stamping=True)

    def _issue(
        self,
        name: str,
        key: Key,
        *,
        ca: bool = False,
        stamping: bool = False,
    ) -> bytes:
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "演练根 CA")])
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW)
            .not_valid_after(NOW + timedelta(days=3650))
            .add_extension(x509.BasicConstraints(ca, None), critical=True)
            .add_extension(
                x509.KeyUsage(True, True, False, False, False, ca, ca, False, False),
                critical=True,
            )
        )
        if stamping:
            usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
            builder = builder.add_extension(usage, critical=True)
        return builder.sign(self.root_key, hashes.SHA256()).public_bytes(Encoding.PEM)

    def pem(self) -> bytes:
        return _private(self.seal_key) + self.seal + self.root

    def stamper(self) -> DummyTimeStamper:
        return DummyTimeStamper(
            _certificate(self.clock),
            keys.PrivateKeyInfo.load(pem.unarmor(_private(self.clock_key))[2]),
            fixed_dt=NOW + timedelta(days=70),
        )

    def trust(self) -> ValidationContext:
        return ValidationContext(trust_roots=[_certificate(self.root)], allow_fetching=False)


def _private(key: Key) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _certificate(text: bytes) -> asn1_x509.Certificate:
    return asn1_x509.Certificate.load(pem.unarmor(text)[2])


@pytest.fixture(scope="session")
def certificates() -> Certificates:
    return Certificates()


def test_a_sealed_paper_validates_and_its_digests_are_facts(
    reported: ASitting, certificates: Certificates
) -> None:
    seal = PaperSeal.from_pem(certificates.pem())
    desk = PaperDesk(reported.centre.office, seal, ISSUER, certificates.stamper())
    issued = desk.issue(reported.tender, "evaluation-report")
    assert hashlib.sha256(issued.pdf).hexdigest() == issued.fact.sealed
    content = composed(reported, "evaluation-report")
    assert hashlib.sha256(content).hexdigest() == issued.fact.content
    facts = [fact for fact, _ in reported.centre.ledger.stream(f"papers:{reported.tender}")]
    assert facts == [issued.fact]
    status = validated(issued.pdf, certificates)
    assert (status.intact, status.valid, status.trusted) == (True, True, True)
    assert status.timestamp_validity
    assert status.timestamp_validity.trusted
    assert status.timestamp_validity.timestamp == NOW + timedelta(days=70)


def validated(pdf: bytes, certificates: Certificates):
    (signature,) = PdfFileReader(io.BytesIO(pdf)).embedded_signatures
    return validate_pdf_signature(signature, certificates.trust(), certificates.trust())


def test_a_paper_that_was_changed_or_sealed_by_a_stranger_does_not(
    reported: ASitting, certificates: Certificates
) -> None:
    seal = PaperSeal.from_pem(certificates.pem())
    pdf = PaperDesk(reported.centre.office, seal, ISSUER).issue(reported.tender, "contract").pdf
    assert validated(pdf, certificates).trusted
    middle = pdf.index(b"/Producer") + 12
    changed = pdf[:middle] + bytes([pdf[middle] ^ 1]) + pdf[middle + 1 :]
    assert not validated(changed, certificates).intact
    assert not validated(pdf, Certificates()).trusted


def test_the_seal_is_seen_at_the_foot_of_the_last_page(
    reported: ASitting, certificates: Certificates
) -> None:
    seal = PaperSeal.from_pem(certificates.pem())
    pdf = PaperDesk(reported.centre.office, seal, ISSUER).issue(reported.tender, "award-record").pdf
    with pypdfium2.PdfDocument(pdf) as document:
        document.init_forms()
        image = document[len(document) - 1].render(may_draw_forms=True).to_pil().convert("RGB")
    corner = image.crop((430, image.height - 180, 560, image.height - 55))
    reds = sum(red > 180 and green < 90 for red, green, _ in corner.get_flattened_data())
    rest = image.crop((0, 0, 400, image.height))
    assert reds > 500
    assert not any(red > 180 and green < 90 for red, green, _ in rest.get_flattened_data())


@pytest.mark.parametrize("text", [b"", b"nothing", b"-----BEGIN X-----\nAAAA\n-----END X-----\n"])
def test_what_is_no_seal_is_refused(text: bytes) -> None:
    with pytest.raises(ContentMalformed):
        PaperSeal.from_pem(text)


def test_a_tender_is_archived_with_its_papers_and_digests(
    reported: ASitting, tmp_path: Path
) -> None:
    export, out = reported.centre.export(), tmp_path / "archive.zip"
    done = kaifeng("archive", export, reported.tender, "--out", out, "--issuer", ISSUER)
    assert done.returncode == 0, done.stderr
    digest = hashlib.sha256(out.read_bytes()).hexdigest()
    assert digest in done.stdout
    with zipfile.ZipFile(out) as package:
        manifest = json.loads(package.read("manifest.json"))
        for listed in manifest["files"]:
            assert hashlib.sha256(package.read(listed["name"])).hexdigest() == listed["sha256"]
        names = {listed["name"] for listed in manifest["files"]}
        entries = package.read("entries.jsonl").splitlines()
    assert {"entries.jsonl", *(f"{kind.code}.pdf" for kind in PAPERS)} == names
    assert len(entries) > 50
    assert manifest["years"] == 15
    kaifeng("archive", export, reported.tender, "--out", tmp_path / "again.zip", "--issuer", ISSUER)
    assert (tmp_path / "again.zip").read_bytes() == out.read_bytes()
    assert kaifeng("archive", export, "nobody", "--out", out).returncode == 1
