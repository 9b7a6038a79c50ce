"""A disk that forgets what nobody fsynced: a FUSE file system in memory, and a power cut.

Everything is volatile until it is asked for: fsync of a file keeps its bytes, fsync of a folder
keeps its names. Neither keeps the other, which is the least that POSIX promises. A cut leaves
what was kept or, given `luck`, also some of the rest: a disk writes back whichever sectors and
names it likes, in any order. Knows nothing of ledgers.

As a module it is the test's handle on the disk; as a program it is the process that serves it,
so that a file system that hangs can be killed.
"""

import ctypes.util
import errno
import hashlib
import itertools
import json
import os
import select
import shutil
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Self

SECTOR = 512
LIFETIME = 300  # seconds after which a disk that somebody waits for in vain goes away
PATIENCE = 5  # seconds to let go of files that are open on it
HIDDEN = ".fuse_hidden"  # libfuse's name for a file that was unlinked while it was open


def missing() -> str:
    """What this machine lacks to serve the disk; empty if nothing."""
    try:
        os.close(os.open("/dev/fuse", os.O_RDWR))
    except OSError:
        return "/dev/fuse"
    if not shutil.which("fusermount3"):
        return "fusermount3"
    return "" if ctypes.util.find_library("fuse3") else "libfuse3"


class Forgetful:
    """The disk at `mount`, filled with what lies in `backing`, which is never written to."""

    def __init__(self, backing: Path, mount: Path) -> None:
        self.backing, self.mount = backing.resolve(), mount.resolve()

    def __enter__(self) -> Self:
        self.mount.mkdir(parents=True, exist_ok=True)
        self._served = subprocess.Popen(
            [sys.executable, __file__, self.backing, self.mount],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"FUSE_LIBRARY_NAME": "fuse3", "PYTHONDONTWRITEBYTECODE": "1"},
        )
        if self._served.stdout.readline() != b"mounted\n":
            self.__exit__()
            raise OSError(errno.ENOTCONN, "the forgetful disk could not be mounted")
        return self

    def __exit__(self, *_: object) -> None:
        self._served.stdin.close()  # the signal to unmount
        try:
            self._served.wait(4 * PATIENCE)
        except subprocess.TimeoutExpired:
            self._served.kill()
            self._served.wait()
            unmount(self.mount)
        self._served.stdout.close()

    def cut_power(self, luck: int = 0) -> None:
        """From now on every operation is an I/O error."""
        self._tell("cut", str(luck))

    def survivors(self, target: Path) -> Path:
        """Copy what a power cut has left, or would leave now, to a folder on a better disk."""
        self._tell("survivors", str(target.resolve()))
        return target

    def watch(self, moments: Path, log: Path) -> None:
        """From now on, before every fsync, put into `moments` what a cut at that moment would
        leave without and with luck, and how far `log` (on another disk) had been written.
        """
        moments.mkdir(exist_ok=True)
        self._tell("watch", json.dumps([str(moments.resolve()), str(log.resolve())]))

    def _tell(self, what: str, value: str) -> None:
        """An attribute of the root is the way in: it is served in turn with all other operations,
        so that whatever was answered before is before, and what comes after is after.
        """
        os.setxattr(self.mount, f"user.{what}", value.encode())


def unmount(mount: Path) -> None:
    command = ["fusermount3", "-u", "-z", "-q", str(mount)]
    subprocess.run(command, check=False, timeout=60, stderr=subprocess.DEVNULL)


def coin(luck: int, *what: object) -> bool:
    return bool(hashlib.sha256(repr((luck, *what)).encode()).digest()[0] & 1)


class File:
    def __init__(self, number: int, mode: int, content: bytes = b"") -> None:
        self.number, self.mode, self.links = number, stat.S_IFREG | mode, 1
        self.now, self.kept = bytearray(content), content

    def fsync(self) -> None:
        self.kept = bytes(self.now)

    def left(self, luck: int) -> bytes:
        if not luck or self.kept == self.now:
            return self.kept
        size = len(self.now if coin(luck, self.number, "size") else self.kept)
        sectors = []
        for start in range(0, size, SECTOR):
            end = min(start + SECTOR, size)
            source = self.now if coin(luck, self.number, start) else self.kept
            sectors.append(source[start:end].ljust(end - start, b"\0"))
        return b"".join(sectors)


class Folder:
    def __init__(self, number: int, mode: int) -> None:
        self.number, self.mode, self.links = number, stat.S_IFDIR | mode, 2
        self.now: dict[str, Node] = {}
        self.kept: dict[str, Node] = {}

    def fsync(self) -> None:
        self.kept = dict(self.now)

    def left(self, luck: int) -> "dict[str, Node]":
        names = dict(self.kept)
        for name in sorted(self.now.keys() | self.kept.keys()) if luck else ():
            if self.now.get(name) is self.kept.get(name) or not coin(luck, self.number, name):
                continue
            if name in self.now:
                names[name] = self.now[name]
            else:
                del names[name]
        return {name: node for name, node in names.items() if not name.startswith(HIDDEN)}


Node = File | Folder


class Disk:
    """The operations, in the shape that libfuse's binding calls; one at a time. Modes and times
    are not modelled: a mode is kept at once, and every time is the beginning of time.
    """

    use_ns = True

    def __init__(self, backing: Path) -> None:
        self._numbers = itertools.count(1)
        self._root = self._load(backing)
        self._luck, self._is_cut = 0, False
        self._watched: tuple[Path, Path] | None = None
        self._moments = itertools.count(1)

    def init(self, path: str) -> None:
        os.write(1, b"mounted\n")

    # -- looking ------------------------------------------------------------------------------

    def getattr(self, path: str, fh: int | None = None) -> dict[str, int]:
        node = self._at(path)
        size = len(node.now) if isinstance(node, File) else 0
        return {
            "st_mode": node.mode,
            "st_ino": node.number,
            "st_nlink": node.links,
            "st_size": size,
            "st_blocks": -(-size // SECTOR),
            "st_uid": os.getuid(),
            "st_gid": os.getgid(),
        }

    def readdir(self, path: str, fh: int) -> list[tuple[str, dict[str, int], int]]:
        folder = self._folder(path)
        nodes = [(".", folder), ("..", folder), *folder.now.items()]
        return [(name, {"st_mode": n.mode, "st_ino": n.number}, 0) for name, n in nodes]

    def open(self, path: str, flags: int) -> int:
        if flags & os.O_TRUNC:
            self._file(path).now.clear()
        return self._at(path).number

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
        return bytes(self._file(path).now[offset : offset + size])

    # -- changing, in memory ------------------------------------------------------------------

    def create(self, path: str, mode: int) -> int:
        node = File(next(self._numbers), stat.S_IMODE(mode))
        self._put(path, node)
        return node.number

    def write(self, path: str, data: bytes, offset: int, fh: int) -> int:
        now = self._file(path).now
        now.extend(bytes(max(0, offset - len(now))))
        now[offset : offset + len(data)] = data
        return len(data)

    def truncate(self, path: str, length: int, fh: int | None = None) -> None:
        now = self._file(path).now
        now.extend(bytes(max(0, length - len(now))))
        del now[length:]

    def mkdir(self, path: str, mode: int) -> None:
        self._put(path, Folder(next(self._numbers), stat.S_IMODE(mode)))

    def link(self, target: str, source: str) -> None:
        node = self._file(source)
        node.links += 1
        self._put(target, node)

    def unlink(self, path: str) -> None:
        self._at(path).links -= 1
        self._drop(path)

    def rmdir(self, path: str) -> None:
        if self._folder(path).now:
            raise OSError(errno.ENOTEMPTY, path)
        self._drop(path)

    def rename(self, old: str, new: str) -> None:
        node = self._at(old)
        self._drop(old)
        self._put(new, node)

    def chmod(self, path: str, mode: int) -> None:
        node = self._at(path)
        node.mode = stat.S_IFMT(node.mode) | stat.S_IMODE(mode)

    def utimens(self, path: str, times: tuple[int, int] | None = None) -> None:
        self._at(path)

    # -- keeping, and forgetting --------------------------------------------------------------

    def fsync(self, path: str, datasync: int, fh: int) -> None:
        node = self._at(path)
        self._show_moment()
        node.fsync()

    fsyncdir = fsync

    def setxattr(self, path: str, name: str, value: bytes, options: int) -> None:
        if name == "user.cut":
            self._luck, self._is_cut = int(value), True
        elif name == "user.survivors":
            self._export(self._root, Path(value.decode()), self._luck)
        elif name == "user.watch":
            moments, log = map(Path, json.loads(value))
            self._watched = moments, log
        else:
            raise OSError(errno.ENOTSUP, name)

    def _show_moment(self) -> None:
        if self._watched:
            moments, log = self._watched
            number = next(self._moments)
            for luck in (0, number):
                self._export(self._root, moments / f"{number:04}-{luck}", luck)
            (moments / f"{number:04}.log").write_bytes(log.read_bytes())

    def _export(self, folder: Folder, target: Path, luck: int) -> None:
        target.mkdir(mode=stat.S_IMODE(folder.mode), exist_ok=True)
        for name, node in folder.left(luck).items():
            if isinstance(node, Folder):
                self._export(node, target / name, luck)
            else:
                (target / name).write_bytes(node.left(luck))
                (target / name).chmod(stat.S_IMODE(node.mode))

    def _load(self, path: Path) -> Folder:
        folder = Folder(next(self._numbers), stat.S_IMODE(path.stat().st_mode))
        for child in sorted(path.iterdir()):
            if child.is_dir():
                folder.now[child.name] = self._load(child)
            else:
                mode = stat.S_IMODE(child.stat().st_mode)
                folder.now[child.name] = File(next(self._numbers), mode, child.read_bytes())
        folder.fsync()
        return folder

    # -- names --------------------------------------------------------------------------------

    def _at(self, path: str) -> Node:
        if self._is_cut:
            raise OSError(errno.EIO, "there is no power")
        node: Node = self._root
        for name in path.split("/"):
            if name and (not isinstance(node, Folder) or name not in node.now):
                raise OSError(errno.ENOENT, path)
            node = node.now[name] if name else node  # type: ignore[call-overload]
        return node

    def _file(self, path: str) -> File:
        node = self._at(path)
        if not isinstance(node, File):
            raise OSError(errno.EISDIR, path)
        return node

    def _folder(self, path: str) -> Folder:
        node = self._at(path)
        if not isinstance(node, Folder):
            raise OSError(errno.ENOTDIR, path)
        return node

    def _put(self, path: str, node: Node) -> None:
        above, _, name = path.rpartition("/")
        self._folder(above).now[name] = node

    def _drop(self, path: str) -> None:
        above, _, name = path.rpartition("/")
        del self._folder(above).now[name]


def serve(backing: Path, mount: Path) -> None:
    """Until the other end of the standard input is closed; never longer than LIFETIME."""
    from mfusepy import FUSE

    def unmount_when_abandoned() -> None:
        select.select([sys.stdin], [], [], LIFETIME)
        unmount(mount)
        time.sleep(PATIENCE)  # files that are still open keep it going
        os._exit(1)

    threading.Thread(target=unmount_when_abandoned, daemon=True).start()
    FUSE(Disk(backing), str(mount), foreground=True, nothreads=True, use_ino=True)


if __name__ == "__main__":
    serve(Path(sys.argv[1]), Path(sys.argv[2]))
