"""A stranger's monitor against a centre that lies: every lie is an alarm, honest growth is none."""

import shutil
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from builders import AStory
from centre import TestCentre
from commands import kaifeng

from trading.disclosure import is_public, tender_of
from trading.kernel.errors import Broken, CheckpointBroken, EntryBroken, QuorumMissing
from trading.kernel.party import Role
from trading.ledger.entry import leaf_data, leaf_hash, read_entry, stamped
from trading.ledger.note import Note
from trading.ledger.port import Record
from web.monitor import Monitor, Watched

pytestmark = pytest.mark.enable_socket

_PAGE = 5  # of this server: a look takes several


class Item(msgspec.Struct, frozen=True):
    """One entry in the feed: `entry` is its very bytes, or None where only the leaf is shown."""

    index: int
    leaf: str
    salt: str = ""
    entry: Any = None


class Shown(ThreadingHTTPServer):
    """What a centre and a witness say in public; a lie is whatever a test puts in its place."""

    checkpoint = ""
    latest = ""  # of the witness; it lives at the same address
    page: bytes | None = None  # instead of every page of the feed
    charset = "utf-8"

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.items: list[Item] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def show(self, centre: TestCentre, note: str = "") -> None:
        """The truth about a centre, under a new checkpoint or the one that is given."""
        self.checkpoint = note or centre.publisher.publish().note
        self.items = [item_of(centre, record) for record in centre.ledger.records()]
        self.latest, self.page = "", None

    def feed(self, cursor: int, limit: int) -> bytes:
        if self.page is not None:
            return self.page
        items = self.items[cursor : cursor + min(limit, _PAGE)]
        return feed_of(items)

    def change(self, index: int, **changes: Any) -> None:
        self.items[index] = msgspec.structs.replace(self.items[index], **changes)


def feed_of(items: list[Item]) -> bytes:
    return msgspec.json.encode({"items": items})


class Answers(BaseHTTPRequestHandler):
    server: Shown

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        match parts.path:
            case "/checkpoint":
                self._answer(self.server.checkpoint.encode())
            case "/latest":
                self._answer(self.server.latest.encode())
            case "/v1/feed":
                asked = parse_qs(parts.query)
                self._answer(self.server.feed(int(asked["cursor"][0]), int(asked["limit"][0])))
            case _:
                self.send_error(404)

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", f"text/plain; charset={self.server.charset}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def item_of(centre: TestCentre, record: Record) -> Item:
    """By the rule of the real feed: sealed entries show their leaf alone."""
    entry = read_entry(record.raw, record.index)
    fact, _ = stamped(entry, record.index, leaf_hash(record.leaf))
    tender = tender_of(entry.stream)
    if not is_public(fact, centre.office.load(tender).phase if tender else None):
        return Item(record.index, record.leaf.hex())
    return Item(record.index, record.leaf.hex(), record.salt.hex(), msgspec.Raw(record.raw))


@pytest.fixture(scope="module")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestCentre]:
    """Honest, with a tender that takes bids; tests only let it grow."""
    made = TestCentre(tmp_path_factory.mktemp("honest"), trustees=3)
    AStory(made).bidding().with_three()
    yield made
    made.verify_everything()
    made.close()


@pytest.fixture
def shown(centre: TestCentre) -> Iterator[Shown]:
    with Shown() as server:
        server.show(centre)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def twin(centre: TestCentre, tmp_path: Path) -> Iterator[TestCentre]:
    """Another ledger under the same log keys."""
    folder = tmp_path / "twin"
    (folder / "data").mkdir(parents=True)
    for key in centre.data.glob("log-*.key"):
        shutil.copy(key, folder / "data")
    made = TestCentre(folder, trustees=1)
    yield made
    made.verify_everything()
    made.close()


@pytest.fixture
def monitor(centre: TestCentre, shown: Shown, tmp_path: Path) -> Iterator[Monitor]:
    made = Monitor(tmp_path / "watch", centre.policy, shown.url, [shown.url])
    yield made
    made.close()


def grow(centre: TestCentre, size: int) -> None:
    while centre.ledger.size() < size:
        centre.actor(f"firm-{centre.ledger.size()}", Role.BIDDER)


def colluded(centre: TestCentre, twin: TestCentre) -> str:
    """The twin's head as all of the centre's witnesses would cosign it, if they lied as well."""
    note = Note.parse(twin.ledger.checkpoint())
    time = int(twin.clock.at.timestamp())
    lines = [key.sign(note.text, time) for key in centre._witness_keys.values()]
    return str(note.with_signatures(lines))


def open_item(shown: Shown) -> int:
    return next(item.index for item in shown.items if item.entry is not None)


def sealed_item(shown: Shown) -> int:
    return next(item.index for item in shown.items if item.entry is None)


# -- the truth ------------------------------------------------------------------------------------


def test_honest_growth_is_no_alarm(
    centre: TestCentre, shown: Shown, monitor: Monitor, tmp_path: Path
) -> None:
    first = monitor.look()
    assert first == Watched(len(shown.items), len(shown.items), first.disclosed)
    assert 0 < first.disclosed < first.size
    assert monitor.look() == Watched(first.size, 0, 0)
    for more in (1, 3, 2 * _PAGE):
        grow(centre, centre.ledger.size() + more)
        shown.show(centre)
        assert monitor.look() == Watched(centre.ledger.size(), more, more)
    again = Monitor(tmp_path / "watch", centre.policy, shown.url, [])
    assert again.look() == Watched(centre.ledger.size(), 0, 0)
    again.close()


def test_a_witness_ahead_of_the_centre_is_no_alarm(
    centre: TestCentre, shown: Shown, monitor: Monitor
) -> None:
    before = shown.checkpoint
    size = monitor.look().size
    grow(centre, size + 2)
    shown.show(centre, before)
    shown.latest = centre.publisher.publish().note
    assert monitor.look() == Watched(size, 0, 0)
    shown.show(centre)
    shown.latest = before  # and one behind it is none either
    assert monitor.look() == Watched(size + 2, 2, 2)


# -- lies about entries ---------------------------------------------------------------------------


def other_content(shown: Shown) -> None:
    index = open_item(shown)
    raw = bytes(shown.items[index].entry)
    shown.change(index, entry=msgspec.Raw(raw.replace(b'"fact"', b'"Fact"', 1)))


def shown_for_a_sealed_one(shown: Shown) -> None:
    honest = shown.items[open_item(shown)]
    shown.change(sealed_item(shown), salt=honest.salt, entry=honest.entry)


def other_leaf(shown: Shown) -> None:
    shown.change(sealed_item(shown), leaf="01" + "00" * 32)


def other_content_under_its_own_leaf(shown: Shown) -> None:
    index = open_item(shown)
    item = shown.items[index]
    raw = bytes(item.entry).replace(b'"fact"', b'"Fact"', 1)
    leaf = leaf_data(bytes.fromhex(item.salt), raw, personal=False)
    shown.change(index, leaf=leaf.hex(), entry=msgspec.Raw(raw))


def the_last_withheld(shown: Shown) -> None:
    shown.items.pop()


def one_left_out(shown: Shown) -> None:
    del shown.items[2]


def one_left_out_and_renumbered(shown: Shown) -> None:
    del shown.items[2]
    shown.items = [
        msgspec.structs.replace(item, index=index) for index, item in enumerate(shown.items)
    ]


def two_exchanged(shown: Shown) -> None:
    shown.items[1:3] = reversed(shown.items[1:3])


LIES: dict[Callable[[Shown], None], type[Broken]] = {
    other_content: EntryBroken,
    shown_for_a_sealed_one: EntryBroken,
    other_leaf: CheckpointBroken,
    other_content_under_its_own_leaf: CheckpointBroken,
    the_last_withheld: CheckpointBroken,
    one_left_out: EntryBroken,
    one_left_out_and_renumbered: CheckpointBroken,
    two_exchanged: EntryBroken,
}


def alarm(monitor: Monitor, tmp_path: Path, broken: type[Broken] = Broken) -> Broken:
    """The alarm; what the centre has signed is kept."""
    with pytest.raises(broken) as raised:
        monitor.look()
    assert list((tmp_path / "watch" / "evidence").glob("*.note"))
    return raised.value


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.__name__)
def test_a_lie_about_an_entry_is_an_alarm(
    centre: TestCentre, shown: Shown, monitor: Monitor, tmp_path: Path, lie: Callable[[Shown], None]
) -> None:
    """And the monitor has believed nothing of it: the truth is still none."""
    lie(shown)
    alarm(monitor, tmp_path, LIES[lie])
    shown.show(centre)
    assert monitor.look().size == centre.ledger.size()


@pytest.mark.parametrize(
    "page",
    [
        b"",
        b"<html>",
        b'{"items":7}',
        b'{"items":[{"index":0,"leaf":"zz","salt":"","entry":null}]}',
        b"\xff\xfe",
    ],
)
def test_garbage_instead_of_the_feed_is_an_alarm(
    shown: Shown, monitor: Monitor, tmp_path: Path, page: bytes
) -> None:
    shown.page = page
    alarm(monitor, tmp_path)


# -- lies about the head --------------------------------------------------------------------------


def test_a_shrunk_ledger_is_an_alarm(
    centre: TestCentre, shown: Shown, monitor: Monitor, tmp_path: Path
) -> None:
    before = shown.checkpoint
    grow(centre, centre.ledger.size() + 2)
    shown.show(centre)
    monitor.look()
    shown.checkpoint = before
    assert "shrunk" in alarm(monitor, tmp_path, CheckpointBroken).text("en")


@pytest.mark.parametrize("more", [0, 3])
def test_a_rewritten_history_is_an_alarm(
    centre: TestCentre, twin: TestCentre, shown: Shown, monitor: Monitor, tmp_path: Path, more: int
) -> None:
    """Though log and witnesses are in it together."""
    grow(twin, monitor.look().size + more)
    shown.show(twin, colluded(centre, twin))
    assert "rewritten" in alarm(monitor, tmp_path, CheckpointBroken).text("en")
    shown.show(centre)
    assert monitor.look().fresh == 0


@pytest.mark.parametrize("more", [-1, 0, 3])
def test_a_split_view_is_an_alarm(
    centre: TestCentre, twin: TestCentre, shown: Shown, monitor: Monitor, tmp_path: Path, more: int
) -> None:
    """The witness has seen a head of this log that is none of its states."""
    grow(twin, centre.ledger.size() + more)
    shown.latest = colluded(centre, twin)
    assert "missing" in str(alarm(monitor, tmp_path, CheckpointBroken)) or more <= 0
    shown.latest = ""
    assert monitor.look().size == centre.ledger.size()


@pytest.mark.parametrize("witnesses", [0, 1])
def test_a_checkpoint_without_its_quorum_is_an_alarm(
    shown: Shown, monitor: Monitor, tmp_path: Path, witnesses: int
) -> None:
    note = Note.parse(shown.checkpoint)
    kept = note.signatures[: 2 + witnesses]  # after both of the log's own
    shown.checkpoint = str(Note(note.text, kept))
    alarm(monitor, tmp_path, QuorumMissing)


def test_a_checkpoint_of_another_root_is_an_alarm(
    shown: Shown, monitor: Monitor, tmp_path: Path
) -> None:
    note = Note.parse(shown.checkpoint)
    origin, size, _, *rest = note.text.split("\n")
    forged = "\n".join([origin, size, "A" * 43 + "=", *rest])
    shown.checkpoint = str(Note(forged, note.signatures))
    alarm(monitor, tmp_path)


@pytest.mark.parametrize("garbage", ["", "{}", "<html>\n\n", "\x00", "a\n\n— b c\n"])
def test_garbage_instead_of_a_head_is_an_alarm(
    shown: Shown, monitor: Monitor, tmp_path: Path, garbage: str
) -> None:
    shown.checkpoint = garbage
    alarm(monitor, tmp_path)


def test_a_head_in_no_sane_charset_is_an_alarm(
    shown: Shown, monitor: Monitor, tmp_path: Path
) -> None:
    shown.checkpoint, shown.charset = r"a\ud800b", "unicode_escape"
    alarm(monitor, tmp_path)


def test_garbage_from_a_witness_is_an_alarm(shown: Shown, monitor: Monitor, tmp_path: Path) -> None:
    shown.latest = "<html>"
    alarm(monitor, tmp_path)


# -- the command ----------------------------------------------------------------------------------


def test_the_command_tells_truth_lie_and_silence_apart(
    centre: TestCentre, shown: Shown, tmp_path: Path
) -> None:
    policy, state = centre.data / "policy.txt", tmp_path / "watched"
    watch = ("monitor", shown.url, "--policy", policy, "--state", state)
    honest = kaifeng(*watch)
    assert honest.returncode == 0, honest.stderr
    grow(centre, centre.ledger.size() + 2)
    shown.show(centre)
    shown.change(-1, leaf="01" + "00" * 32, salt="", entry=None)
    lying = kaifeng(*watch)
    assert lying.returncode == 1
    assert "ALARM" in lying.stderr
    assert [file.read_text() for file in (state / "evidence").iterdir()] == [shown.checkpoint]
    silent = kaifeng("monitor", f"{shown.url}/nowhere", *watch[2:])
    assert silent.returncode == 2, silent.stderr
