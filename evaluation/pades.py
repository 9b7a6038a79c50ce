"""电子签章 the seal on a paper: a PAdES signature with a visible mark and an RFC 3161 timestamp."""

import io
import tempfile
from pathlib import Path

from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, SimpleSigner
from pyhanko.sign.timestamps import TimeStamper
from pyhanko.sign.timestamps.requests_client import HTTPTimeStamper
from pyhanko.stamp import StaticStampStyle
from pyhanko_certvalidator.registry import SimpleCertificateStore

from trading.envelope.identity import key_and_chain

__all__ = ["PaperSeal", "timestamper"]

_FIELD = "KaifengSeal"
_BOX = (440, 62, 550, 172)  # points: the foot of the last page, where the template leaves room


def timestamper(url: str) -> TimeStamper | None:
    """Of an RFC 3161 authority; None without a URL."""
    return HTTPTimeStamper(url) if url else None


class PaperSeal:
    """The centre's key and certificate, of its CA."""

    def __init__(self, signer: SimpleSigner) -> None:
        self._signer = signer

    @classmethod
    def from_pem(cls, secret: bytes) -> "PaperSeal":
        """A private key, its certificate, and any certificates of the chain."""
        key, certificates = key_and_chain(secret)
        store = SimpleCertificateStore()
        store.register_multiple(certificates)
        return cls(SimpleSigner(certificates[0], key, store))

    def seal(self, pdf: bytes, mark: bytes, timestamper: TimeStamper | None = None) -> bytes:
        """The signed PDF; `mark` is the page that the seal looks like."""
        meta = PdfSignatureMetadata(
            field_name=_FIELD,
            md_algorithm="sha256",
            subfilter=SigSeedSubFilter.PADES,
            reason="电子签章 / sealed",
        )
        field = SigFieldSpec(_FIELD, on_page=-1, box=_BOX)
        with tempfile.TemporaryDirectory() as folder:
            page = Path(folder) / "mark.pdf"
            page.write_bytes(mark)
            style = StaticStampStyle.from_pdf_file(
                str(page), border_width=0, background_opacity=0.85
            )
            signer = PdfSigner(
                meta, self._signer, timestamper=timestamper, stamp_style=style, new_field_spec=field
            )
            signed = signer.sign_pdf(IncrementalPdfFileWriter(io.BytesIO(pdf)))
        return bytes(signed.getvalue())
