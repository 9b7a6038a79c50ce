"""`kaifeng seal`: the bidder's side. Packs a folder, seals it, keeps what only the bidder may have.

Whom to seal to comes from the invitation, a proof that the committee's ceremony stands in the
witnessed ledger; the ceremony is repeated here, so no server can slip in a key of its own.
"""

import os
from pathlib import Path

import click
import msgspec

from trading.committee import Charter, ceremony_of, form_seat
from trading.envelope.content import Bidder, Manifest, Price, describe_files
from trading.envelope.identity import Identity
from trading.envelope.layout import PREFIX, Address, Prefix, Stage
from trading.envelope.seal import BidKey, Sealing, seal
from trading.facts.committee import CommitteeFormed
from trading.kernel.errors import (
    AmountUnreadable,
    DraftIncomplete,
    FileUnreadable,
    ProofBroken,
    Usage,
)
from trading.kernel.files import read_text, write_secret
from trading.kernel.instant import SystemClock
from trading.kernel.money import Money
from trading.kernel.settings import read_secret
from trading.ledger.policy import Policy
from trading.ledger.receipt import check_receipt
from web.maker import write_record

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


class Kept(msgspec.Struct, frozen=True):
    """The bidder's own file: the pseudonym's seed and the co-key, both hex. Whoever has it can
    replace or withdraw the bid, and (with the committee) open it.
    """

    seed: str
    cokey: str = ""


@click.command(
    "seal", help="加密并密封一个文件夹 / pack and seal a folder, on the bidder's machine."
)
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--invitation", required=True, type=_FILE, help="委员会证明 / invitation.tlog-proof")
@click.option("--policy", required=True, type=_FILE, help="policy.txt")
@click.option("--charter", required=True, type=_FILE, help="charter.txt")
@click.option("--bidder", required=True, help="统一社会信用代码 / registration number")
@click.option("--name", required=True, help="投标人名称 / the bidder's name")
@click.option(
    "--lot", type=click.IntRange(1, 65_535), default=1, show_default=True, help="标段 / lot"
)
@click.option("--price", help="报价，元 / price in yuan")
@click.option("--currency", default="CNY", show_default=True)
@click.option(
    "--identity", type=_FILE, help="CA 密钥与证书 (PEM) / the bidder's key and certificate"
)
@click.option("--with-cokey", is_flag=True, help="加投标人自己的密钥 / add the bidder's own key")
@click.option(
    "--with-maker",
    is_flag=True,
    help="写入制作记录 maker.json（按项目散列） / add hashed machine ids",
)
@click.option("--dongle", default="", help="计价软件加密锁号 / the pricing dongle's number")
@click.option("--replaces", type=_FILE, help="替换先前的信封 / the envelope this one replaces")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="信封 / bid.kfe")
def command(**options: object) -> None:
    wanted = msgspec.convert(options, _Options)
    _check_paths(wanted)
    address = invited(wanted)
    kept = _kept(wanted)
    if wanted.with_maker:
        write_record(wanted.folder, address.tender, wanted.dongle)
    manifest = _manifest(wanted, address)
    sealing = Sealing(
        address=address,
        key=BidKey(bytes.fromhex(kept.seed)),
        identity=_identity(wanted.identity),
        cokey=bytes.fromhex(kept.cokey),
        replaces=_old(wanted.replaces),
        at_ms=int(SystemClock().read().at.timestamp() * 1000),
    )
    write_secret(_key_file(wanted.out), msgspec.json.encode(kept))
    with wanted.out.open("x+b") as out:
        prefix = seal(manifest, wanted.folder, sealing, out)
        out.flush()
        os.fsync(out.fileno())
    click.echo(f"✓ 委员会公钥 committee {address.kid.hex()[:16]}…（{address.tender}）")
    for file in manifest.files:
        click.echo(f"✓ {file.name}  {file.size:,}  {file.sha256}")
    if manifest.price:
        money = Money(manifest.price.fen)
        click.echo(f"✓ 报价 price {money} {manifest.price.currency} {money.capital()}")
    click.echo(f"✓ 信封 envelope {prefix.eid} → {wanted.out}")
    count, size = len(manifest.files), sum(file.size for file in manifest.files)
    click.echo(f"✓ {count} 个文件 files, {size:,} 字节 bytes")
    click.echo(f"  妥善保管 keep safe: {_key_file(wanted.out)}")


class _Options(msgspec.Struct, frozen=True):
    folder: Path
    invitation: Path
    policy: Path
    charter: Path
    bidder: str
    name: str
    lot: int
    price: str | None
    currency: str
    identity: Path | None
    with_cokey: bool
    with_maker: bool
    dongle: str
    replaces: Path | None
    out: Path


def _check_paths(wanted: _Options) -> None:
    """Nothing is overwritten, nothing secret is packed, nothing is silently left out."""
    folder, out = wanted.folder.resolve(), wanted.out.resolve()
    if out.suffix == ".key" or out.is_relative_to(folder):
        raise Usage(problem=f"--out {wanted.out}: 不能在文件夹内，也不能以 .key 结尾 / not there")
    for path in (wanted.out, _key_file(wanted.out)):
        if path.exists():
            raise Usage(problem=f"{path}: 已存在，不会覆盖 / exists, and is never overwritten")
    odd = [path.name for path in folder.iterdir() if path.is_symlink() or not path.is_file()]
    if odd:
        raise Usage(problem=f"{min(odd)}: 不收子文件夹和链接 / no folders or links inside")
    if wanted.price is None and not any(folder.iterdir()):
        raise Usage(problem=f"{wanted.folder}: 空文件夹 / empty")
    if wanted.dongle and not wanted.with_maker:
        raise Usage(problem="--dongle 须与 --with-maker 一起 / needs --with-maker")
    if not wanted.bidder.strip() or not wanted.name.strip():
        raise Usage(problem="--bidder, --name: 不能为空 / not empty")


def invited(wanted: _Options) -> Address:
    """The address to seal to, once proof, charter and the whole ceremony have been checked."""
    policy = Policy.parse(read_text(wanted.policy))
    charter = Charter.parse(read_text(wanted.charter))
    found = check_receipt(read_text(wanted.invitation), policy)
    fact, stream = found.fact, found.entry.stream
    if not isinstance(fact, CommitteeFormed) or not stream.startswith("tender:"):
        raise ProofBroken(problem="不是委员会的证明 / the proof is of something else")
    charter.check(ceremony_of(fact))
    tender = stream.removeprefix("tender:")
    seat = form_seat(tender, fact)
    return Address(tender, wanted.lot, fact.stage, seat.kid, seat.committee.key)


def _manifest(wanted: _Options, address: Address) -> Manifest:
    if (address.stage == Stage.PRICE) != (wanted.price is not None):
        raise DraftIncomplete(problem="报价信封须有 --price，技术信封不得有 / --price and stage")
    price = None
    if wanted.price is not None:
        price = Price(Money.yuan(wanted.price).fen, wanted.currency)
        if price.fen <= 0:
            raise AmountUnreadable(amount=wanted.price)
    bidder = Bidder(wanted.bidder.strip(), wanted.name.strip())
    files = describe_files(wanted.folder)
    return Manifest(bidder, files, wanted.lot, price, address.stage, address.tender)


def _kept(wanted: _Options) -> Kept:
    """A replacement keeps its predecessor's pseudonym and co-key."""
    if wanted.replaces:
        try:
            return msgspec.json.decode(read_secret(_key_file(wanted.replaces)), type=Kept)
        except msgspec.MsgspecError as error:
            raise FileUnreadable(path=_key_file(wanted.replaces), problem=error) from error
    return Kept(os.urandom(32).hex(), os.urandom(32).hex() if wanted.with_cokey else "")


def _key_file(envelope: Path) -> Path:
    return envelope.with_suffix(".key")


def _identity(path: Path | None) -> Identity | None:
    return Identity.from_pem(read_secret(path)) if path else None


def _old(path: Path | None) -> Prefix | None:
    if path is None:
        return None
    with path.open("rb") as file:
        return Prefix.parse(file.read(PREFIX))
