"""The power fails: what was acknowledged is there again, whatever the disk had not yet written.

The disk forgets all that was not fsynced, or keeps what it likes of it; see forgetful.py.
"""

import errno
import mmap
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from acting import sealed
from forgetful import SECTOR, Forgetful, missing
from history import go_without, restart, said

from trading.kernel.files import durable_write
from trading.kernel.objects import LocalObjects

ACTING = Path(__file__).with_name("acting.py")
PATIENCE = 100  # seconds until a process that does nothing is given up


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Forgetful]:
    """With a folder for envelopes, as a centre has that has been running for a while."""
    if lack := missing():
        go_without(lack)
    (tmp_path / "backing" / "envelopes").mkdir(parents=True)
    with Forgetful(tmp_path / "backing", tmp_path / "mount") as made:
        yield made


@contextmanager
def acting(data: Path, log: Path, *options: object) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as out, log.with_suffix(".stderr").open("wb") as err:
        command = [sys.executable, str(ACTING), str(data), *map(str, options)]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def finish(process: subprocess.Popen[bytes], log: Path) -> None:
    assert process.wait(PATIENCE) == 0, log.with_suffix(".stderr").read_text()


def wait_for(acks: int, log: Path, process: subprocess.Popen[bytes]) -> None:
    give_up = time.monotonic() + PATIENCE
    while len(said(log.read_text(), "acked")) < acks:
        assert process.poll() is None, log.with_suffix(".stderr").read_text()
        assert time.monotonic() < give_up
        time.sleep(0.002)


def cut_after(acks: int, disk: Forgetful, target: Path, *options: object) -> list[str]:
    """Problems after a cut that hits the process in whatever it does once it has `acks`."""
    log = target.with_suffix(".txt")
    with acting(disk.mount, log, 10_000, *options) as process:
        wait_for(acks, log, process)
        disk.cut_power(luck=acks - 1)
    return restart(disk.survivors(target), log.read_text())


def examine_all(moments: Path) -> tuple[set[int], list[str]]:
    """After how many acknowledgements the power was cut, and the problems of all those cuts."""
    acks, problems = set(), []
    for log in sorted(moments.glob("*.log")):
        text = log.read_text()
        acks.add(len(said(text, "acked")))
        for data in moments.glob(f"{log.stem}-*"):
            problems += [f"{data.name}: {problem}" for problem in restart(data, text)]
            shutil.rmtree(data)
    return acks, problems


# -- acts, and a power cut ------------------------------------------------------------------------


@pytest.mark.parametrize("acks", [1, 7, 40])
def test_a_cut_loses_nothing_that_was_acknowledged(
    disk: Forgetful, tmp_path: Path, acks: int
) -> None:
    assert cut_after(acks, disk, tmp_path / "left", "--envelopes") == []


@pytest.mark.parametrize("acks", [1, 12])
def test_with_synchronous_normal_a_cut_loses_acknowledged_acts(
    disk: Forgetful, tmp_path: Path, acks: int
) -> None:
    """The negative control: the same cut and the same checker, a store that is less careful."""
    problems = cut_after(acks, disk, tmp_path / "left", "--synchronous", "NORMAL")
    assert "act-0 was acknowledged and is lost" in problems


@pytest.mark.parametrize(
    ("acts", "options"), [(12, ["--envelopes"]), (2, ["--size", 4_300_000])], ids=["small", "large"]
)
def test_a_cut_at_any_moment_loses_nothing_that_was_acknowledged(
    disk: Forgetful, tmp_path: Path, acts: int, options: list[object]
) -> None:
    """A large act fills the write-ahead log, so that its commit also moves it to the database."""
    log = tmp_path / "log.txt"
    log.touch()
    disk.watch(tmp_path / "moments", log)
    with acting(disk.mount, log, acts, *options) as process:
        finish(process, log)
    disk.cut_power()
    acks, problems = examine_all(tmp_path / "moments")
    problems += restart(disk.survivors(tmp_path / "left"), log.read_text())
    assert problems == []
    assert acks | {acts} == set(range(acts + 1))


def test_a_second_cut_loses_nothing_either(disk: Forgetful, tmp_path: Path) -> None:
    """The first one has left a write-ahead log to recover from; now every moment of that."""
    first, log = tmp_path / "first", tmp_path / "log.txt"
    with acting(disk.mount, log, 10_000) as process:
        wait_for(9, log, process)
        disk.cut_power()
    before = log.read_text()
    disk.survivors(first)
    with Forgetful(first, tmp_path / "again") as again:
        again.watch(tmp_path / "moments", log)
        with acting(again.mount, log, 4, "--first", 20_000) as process:
            finish(process, log)
    for moment in (tmp_path / "moments").glob("*.log"):
        moment.write_text(before + moment.read_text())
    acks, problems = examine_all(tmp_path / "moments")
    assert problems == []
    assert max(acks) - min(acks) == 4


def test_with_synchronous_normal_cuts_at_most_moments_lose_acts(
    disk: Forgetful, tmp_path: Path
) -> None:
    log = tmp_path / "log.txt"
    log.touch()
    disk.watch(tmp_path / "moments", log)
    with acting(disk.mount, log, 4, "--synchronous", "NORMAL") as process:
        finish(process, log)
    _, problems = examine_all(tmp_path / "moments")
    assert any("act-3 was acknowledged and is lost" in problem for problem in problems)


# -- folders and files ----------------------------------------------------------------------------


def test_a_new_data_folder_survives(disk: Forgetful, tmp_path: Path) -> None:
    data, log = disk.mount / "new" / "centre", tmp_path / "log.txt"
    with acting(data, log, 3) as process:
        finish(process, log)
    disk.cut_power()
    left = disk.survivors(tmp_path / "left") / "new" / "centre"
    assert restart(left, log.read_text()) == []


def test_a_durable_file_in_a_new_folder_survives(disk: Forgetful, tmp_path: Path) -> None:
    durable_write(disk.mount / "a" / "b" / "c", [b"content"])
    disk.cut_power()
    left = disk.survivors(tmp_path / "left")
    assert (left / "a" / "b" / "c").read_bytes() == b"content"


def test_an_object_survives_at_once(disk: Forgetful, tmp_path: Path) -> None:
    name = "ab" * 32
    LocalObjects(disk.mount / "new" / "objects").put(name, [sealed(name)])
    disk.cut_power()
    left = disk.survivors(tmp_path / "left")
    assert LocalObjects(left / "new" / "objects").path(name).read_bytes() == sealed(name)


def test_an_object_that_is_put_again_after_a_crash_survives(
    disk: Forgetful, tmp_path: Path
) -> None:
    """The first process was killed between the last system call but one and the last."""
    name, objects = "ab" * 32, LocalObjects(disk.mount / "envelopes")
    objects.path(name).write_bytes(sealed(name))
    fsync(objects.path(name))
    objects.put(name, [sealed(name)])
    disk.cut_power()
    left = disk.survivors(tmp_path / "left")
    assert LocalObjects(left / "envelopes").path(name).read_bytes() == sealed(name)


def test_an_object_in_a_folder_that_a_crash_left_behind_survives(
    disk: Forgetful, tmp_path: Path
) -> None:
    """The first process was killed between the making of the folder and the fsync above it."""
    name = "ab" * 32
    (disk.mount / "objects").mkdir()
    LocalObjects(disk.mount / "objects").put(name, [sealed(name)])
    disk.cut_power()
    left = disk.survivors(tmp_path / "left")
    assert name in LocalObjects(left / "objects")


@pytest.mark.parametrize("luck", range(1, 30, 4))
def test_a_durable_file_is_replaced_whole_or_not_at_all(
    disk: Forgetful, tmp_path: Path, luck: int
) -> None:
    path, old, new = disk.mount / "file", b"old" * SECTOR, b"new!" * SECTOR
    durable_write(path, [old])
    (tmp_path / "log.txt").touch()
    disk.watch(tmp_path / "moments", tmp_path / "log.txt")
    durable_write(path, [new])
    disk.cut_power(luck)
    left = disk.survivors(tmp_path / "left")
    assert (left / "file").read_bytes() == new
    moments = [folder / "file" for folder in (tmp_path / "moments").glob("*-*")]
    assert len(moments) == 4
    assert {moment.read_bytes() for moment in moments} <= {old, new}


# -- the disk itself ------------------------------------------------------------------------------


def fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def settle(disk: Forgetful, name: str, content: bytes) -> Path:
    path = disk.mount / name
    path.write_bytes(content)
    fsync(path)
    fsync(path.parent)
    return path


def test_what_was_not_fsynced_is_forgotten(disk: Forgetful, tmp_path: Path) -> None:
    settle(disk, "kept", b"old").write_bytes(b"newer")
    nameless = disk.mount / "nameless"
    nameless.write_bytes(b"bytes without a name")
    fsync(nameless)
    empty = disk.mount / "empty"
    empty.touch()
    fsync(disk.mount)
    empty.write_bytes(b"a name without bytes")
    nameless.rename(disk.mount / "renamed")
    (disk.mount / "folder").mkdir()
    settle(disk, "folder/inside", b"a folder nobody kept")
    assert names(disk.mount) == ["empty", "envelopes", "folder", "kept", "renamed"]
    disk.cut_power()
    left = disk.survivors(tmp_path / "left")
    assert names(left) == ["empty", "envelopes", "kept", "nameless"]
    assert (left / "kept").read_bytes() == b"old"
    assert (left / "empty").read_bytes() == b""


def test_names_change_when_the_folder_is_fsynced(disk: Forgetful, tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        settle(disk, name, name.encode())
    (disk.mount / "a").rename(disk.mount / "b")
    (disk.mount / "d").hardlink_to(disk.mount / "c")
    (disk.mount / "c").unlink()
    before = disk.survivors(tmp_path / "before")
    fsync(disk.mount)
    (disk.mount / "b").unlink()
    disk.cut_power()
    after = disk.survivors(tmp_path / "after")

    def content(left: Path) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in left.iterdir() if path.is_file()}

    assert content(before) == {"a": b"a", "b": b"b", "c": b"c"}
    assert content(after) == {"b": b"a", "d": b"c"}


def test_shared_memory_is_written_when_it_is_synced(disk: Forgetful, tmp_path: Path) -> None:
    path = settle(disk, "shared", bytes(8192))
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 8192) as memory:
        memory[:3] = b"abc"
        memory.flush()
        memory[4096:4099] = b"def"
        assert path.read_bytes()[4096:4099] == b"def"
        disk.cut_power()
        left = disk.survivors(tmp_path / "left")
    assert (left / "shared").read_bytes() == b"abc" + bytes(8189)


def test_luck_keeps_some_sectors_and_names(disk: Forgetful, tmp_path: Path) -> None:
    settle(disk, "file", b"o" * SECTOR * 64).write_bytes(b"n" * SECTOR * 64)
    for number in range(16):
        (disk.mount / f"file-{number}").touch()
    disk.cut_power(luck=1)
    left = disk.survivors(tmp_path / "left")
    content = (left / "file").read_bytes()
    sectors = [content[start : start + SECTOR] for start in range(0, len(content), SECTOR)]
    assert set(sectors) == {b"o" * SECTOR, b"n" * SECTOR}
    assert 0 < len(list(left.glob("file-*"))) < 16


def test_without_power_nothing_works(disk: Forgetful, tmp_path: Path) -> None:
    descriptor = os.open(settle(disk, "file", b"x"), os.O_RDWR)
    disk.cut_power()
    for act in (lambda: os.write(descriptor, b"y"), lambda: os.fsync(descriptor)):
        with pytest.raises(OSError, match=os.strerror(errno.EIO)):
            act()
    os.close(descriptor)
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        (disk.mount / "another").touch()
    assert names(disk.backing) == ["envelopes"]
