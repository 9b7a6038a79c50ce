"""One contract for a folder and an S3 bucket: whole or absent, once and for good, small memory."""

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import boto3
import pytest
from bucket import Bucket
from history import go_without
from obstore.store import S3Store

from trading.kernel.errors import FileUnreadable, SettingUnreadable, StoreFull, StoreUnreachable
from trading.kernel.objects import LocalObjects, Objects, RemoteObjects, open_objects

ROOT = Path(__file__).parents[3]
MIB = 1 << 20
NAME = "ab" * 32
STREAMING = """
import os, sys
from trading.kernel.objects import open_objects

def peak():
    return int(open("/proc/self/status").read().partition("VmHWM:")[2].split()[0]) // 1024

objects = open_objects(sys.argv[1])
assert "cd" * 32 not in objects  # connected
before = peak()
objects.put("ab" * 32, (os.urandom(1 << 20) for _ in range(64)))
print(peak() - before, sum(map(len, objects.chunks("ab" * 32))) >> 20, peak() - before)
"""
FULL = """
import os, sys
from trading.kernel.objects import open_objects

try:
    open_objects(sys.argv[1]).put("ab" * 32, (bytes(1 << 20) for _ in range(20)))
except Exception as full:
    print(full.code, os.listdir(sys.argv[1]))
"""


@pytest.fixture(params=["local", "s3"])
def url(request, tmp_path: Path) -> str:
    if request.param == "local":
        return str(tmp_path / "data" / "envelopes")
    return f"{request.getfixturevalue('bucket').url}/{tmp_path.name}"


@pytest.fixture
def objects(url: str) -> Objects:
    return open_objects(url)


def child(source: str, *arguments: str, before: tuple[str, ...] = ()) -> str:
    command = [*before, sys.executable, "-c", source, *arguments]
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


def name_of(content: bytes) -> str:
    return sha256(content).hexdigest()


def read(objects: Objects, name: str) -> bytes:
    return b"".join(objects.chunks(name))


@pytest.mark.parametrize("size", [0, 600, 8 * MIB, 20 * MIB + 1])
def test_what_was_put_is_read_again(objects: Objects, size: int) -> None:
    content = os.urandom(size)
    pieces = [b"", *(content[at : at + 3 * MIB] for at in range(0, size, 3 * MIB)), b""]
    objects.put(name_of(content), pieces)
    assert read(objects, name_of(content)) == content
    assert name_of(content) in objects


def test_the_second_put_changes_and_reads_nothing(objects: Objects) -> None:
    objects.put(NAME, [b"first"])
    objects.put(NAME, map(pytest.fail, ["nobody may read this"]))
    assert read(objects, NAME) == b"first"


@pytest.mark.parametrize("size", [1000, 9 * MIB])
def test_puts_of_one_name_at_once_leave_one_whole_object(objects: Objects, size: int) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: objects.put(NAME, [bytes([n]) * size]), range(8)))
    stored = read(objects, NAME)
    assert stored in [bytes([n]) * size for n in range(8)]
    assert objects.names() == [NAME]


def test_an_upload_is_adopted_and_gone(objects: Objects, tmp_path: Path) -> None:
    content = os.urandom(9 * MIB)
    for again in (False, True):
        (tmp_path / "upload").write_bytes(content if not again else b"other")
        objects.adopt(name_of(content), tmp_path / "upload")
        assert not (tmp_path / "upload").exists()
        assert read(objects, name_of(content)) == content
    objects.adopt(name_of(content), tmp_path / "upload")  # after a crash: it is ours already
    with pytest.raises(FileUnreadable):
        objects.adopt(NAME, tmp_path / "upload")


def test_an_upload_is_adopted_from_another_file_system(tmp_path: Path) -> None:
    other = Path("/dev/shm")
    if not os.access(other, os.W_OK) or other.stat().st_dev == tmp_path.stat().st_dev:
        go_without("another file system")
    upload = other / f"{tmp_path.name}-{os.getpid()}"
    upload.write_bytes(b"bid")
    objects = LocalObjects(tmp_path)
    objects.adopt(NAME, upload)
    assert objects.path(NAME).read_bytes() == b"bid"
    assert not upload.exists()


def test_the_absent_is_refused_at_once(objects: Objects) -> None:
    assert NAME not in objects
    with pytest.raises(FileUnreadable) as refused:
        objects.chunks(NAME)
    assert refused.value.code == "KF-006"


@pytest.mark.enable_socket
@pytest.mark.parametrize("size", [1, 12 * MIB])
def test_a_broken_source_leaves_nothing_behind(url: str, size: int) -> None:
    def broken() -> Iterator[bytes]:
        yield bytes(size)
        raise ValueError("the source ended")

    objects = open_objects(url)
    with pytest.raises(ValueError, match="ended"):
        objects.put(NAME, broken())
    assert NAME not in objects
    if isinstance(objects, LocalObjects):
        assert list(objects.path(NAME).parent.iterdir()) == []
    else:
        with closing(boto3.client("s3", "us-east-1")) as s3:
            assert "Uploads" not in s3.list_multipart_uploads(Bucket="kaifeng")


def test_names_are_sorted_and_ours_alone(objects: Objects, url: str) -> None:
    names = sorted(name_of(bytes([n])) for n in range(5))
    for name in reversed(names):
        objects.put(name, [b"bid"])
    open_objects(url, ".other").put(NAME, [b"other"])
    open_objects(f"{url}/deeper").put("cd" * 32, [b"deeper"])
    assert objects.names() == names


def test_what_was_superseded_is_deleted_even_while_it_is_read(objects: Objects) -> None:
    objects.put(NAME, [bytes(9 * MIB)])
    reading = objects.chunks(NAME)
    next(reading)
    for _ in range(2):
        objects.delete(NAME)
        assert objects.names() == []
    with pytest.raises(FileUnreadable):
        next(reading)


@pytest.mark.parametrize("name", ["", "../x", "a/b", "ab", "AB" * 32, NAME + "\n", "a" * 129])
def test_only_digests_are_names(objects: Objects, tmp_path: Path, name: str) -> None:
    (tmp_path / "upload").touch()
    for act in (
        objects.chunks,
        objects.delete,
        objects.__contains__,
        lambda name: objects.put(name, [b"bid"]),
        lambda name: objects.adopt(name, tmp_path / "upload"),
    ):
        with pytest.raises(FileUnreadable):
            act(name)
    assert (tmp_path / "upload").exists()


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads Linux's /proc")
def test_memory_does_not_grow_with_the_object(url: str) -> None:
    put, size, both = map(int, child(STREAMING, url).split())
    assert (size, put < 48, both < 48) == (64, True, True), (put, both)


def test_a_full_disk_refuses_and_keeps_nothing(tmp_path: Path) -> None:
    mount = ("unshare", "-rm", "sh", "-c", f'mount -t tmpfs -o size=8m x {tmp_path} && exec "$@"')
    if subprocess.run([*mount, "sh", "true"], capture_output=True, check=False).returncode:
        go_without("a file system that may be mounted")
    assert child(FULL, str(tmp_path), before=(*mount, "sh")) == f"{StoreFull.code} []\n"


def test_a_source_without_room_is_the_same_refusal(tmp_path: Path) -> None:
    with Path("/dev/full").open("wb", 0) as spool, pytest.raises(StoreFull):
        LocalObjects(tmp_path).put(NAME, map(spool.write, [b"bid"]))  # type: ignore[arg-type]


def test_only_files_are_adopted(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="not permitted"):
        LocalObjects(tmp_path).adopt(NAME, tmp_path)


def test_a_service_or_bucket_that_is_not_there_is_a_refusal(bucket: Bucket) -> None:
    silent = S3Store("kaifeng", endpoint="https://127.0.0.1:9", retry_config={"max_retries": 0})
    for objects in (RemoteObjects(silent), open_objects("s3://nowhere/envelopes")):
        for size in (1, 9 * MIB):
            with pytest.raises(StoreUnreachable):
                objects.put(NAME, [bytes(size)])


def test_folders_have_urls_too(tmp_path: Path) -> None:
    open_objects(f"file://{tmp_path}/two%20words").put(NAME, [b"bid"])
    assert LocalObjects(tmp_path / "two words").names() == [NAME]
    for url in ("ftp://host/x", "file://host/x", "s3:///x", "memory:///"):
        with pytest.raises(SettingUnreadable):
            open_objects(url)
