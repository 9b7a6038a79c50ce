"""sslyze against the proxy that ends TLS: nginx with our own site file, on loopback."""

import shutil
import socket
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from trading.kernel.instant import SystemClock

__all__ = ["SSLYZE", "WEAKENED", "scan", "scanner", "site"]

ROOT = Path(__file__).parents[2]
SSLYZE = "sslyze==6.3.1"  # in an environment of its own: it wants an older cryptography than ours
_NAME = "kaifeng.example"
_PATH = "certificate_path_validation"  # the certificate of the test is signed by itself
WEAKENED = {"ECDHE-RSA-CHACHA20-POLY1305;": "ECDHE-RSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-SHA;"}
_PATIENCE = 10.0


def scanner(folder: Path) -> Path:
    """The command, installed below `folder`."""
    venv.create(folder, with_pip=True)
    install: list[str | Path] = [
        folder / "bin/pip",
        "--disable-pip-version-check",
        "-q",
        "install",
        SSLYZE,
    ]
    subprocess.run(install, check=True, capture_output=True)
    return folder / "bin/sslyze"


def scan(command: Path, port: int) -> list[str]:
    """Where the server leaves Mozilla's intermediate profile, in the words of sslyze."""
    done = subprocess.run(
        [command, "--mozilla_config=intermediate", f"127.0.0.1:{port}"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    _, judged, verdict = done.stdout.partition("Checking results against Mozilla")
    if not judged:
        return [f"sslyze: {done.stdout[-200:]} {done.stderr[-200:]}"]
    lines = (line.strip() for line in verdict.splitlines())
    found = [line.removeprefix("* ") for line in lines if line.startswith("* ")]
    return [item for item in found if not item.startswith(_PATH)]


@contextmanager
def site(weakened: dict[str, str] | None = None) -> Iterator[int]:
    """The port of an nginx with deploy/nginx.conf, the paths and ports changed as it tells to.
    `weakened`: what else is put in another's place, for a control.
    """
    with tempfile.TemporaryDirectory(prefix="kaifeng-tls-") as place:
        folder, port = Path(place), _free_port()
        _certificate(folder)
        text = (ROOT / "deploy/nginx.conf").read_text("utf-8")
        changes = {
            "listen [::]:80;": "",
            "listen [::]:443 ssl http2;": "",
            "listen 80;": f"listen 127.0.0.1:{_free_port()};",
            "listen 443 ssl http2;": f"listen 127.0.0.1:{port} ssl http2;",
            f"/etc/nginx/tls/{_NAME}": str(folder / _NAME),
            "/var/log/nginx": str(folder),
            "/var/cache/nginx": str(folder),
        }
        for old, new in (changes | (weakened or {})).items():
            if old not in text:
                raise ValueError(f"deploy/nginx.conf lacks {old!r}")
            text = text.replace(old, new)
        temporary = "".join(
            f"{kind}_temp_path {folder}/{kind};\n"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        (folder / "site.conf").write_text(text)
        (folder / "nginx.conf").write_text(
            f"pid {folder}/pid;\nerror_log {folder}/error.log;\ndaemon off;\nmaster_process off;\n"
            f"events {{}}\nhttp {{\n{temporary}include {folder}/site.conf;\n}}\n"
        )
        with _running(folder, port):
            yield port


@contextmanager
def _running(folder: Path, port: int) -> Iterator[None]:
    nginx = shutil.which("nginx") or "nginx"
    command: list[str | Path] = [nginx, "-p", folder, "-c", folder / "nginx.conf"]
    child = subprocess.Popen(command, stdout=sys.stderr)
    try:
        end = time.monotonic() + _PATIENCE
        while socket.socket().connect_ex(("127.0.0.1", port)):
            if child.poll() is not None or time.monotonic() > end:
                raise ChildProcessError((folder / "error.log").read_text("utf-8"))
            time.sleep(0.05)
        yield
    finally:
        child.terminate()
        child.wait(_PATIENCE)


def _certificate(folder: Path) -> None:
    """Signed by itself, as long as a public one may be; what it is signed by is not the site's."""
    key, now = ec.generate_private_key(ec.SECP256R1()), SystemClock().read().at
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _NAME)])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=90))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(_NAME)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / f"{_NAME}.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / f"{_NAME}.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
