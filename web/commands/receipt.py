"""`kaifeng receipt`: check a bidder's receipt against a trust policy, offline."""

from pathlib import Path

import click

from trading import facts
from trading.envelope.admit import check_body
from trading.envelope.layout import Prefix, split_prefix
from trading.facts.bidding import EnvelopeReceived
from trading.kernel.errors import ProofBroken
from trading.kernel.files import read_chunks, read_text
from trading.ledger.fact import Fact
from trading.ledger.policy import Policy
from trading.ledger.receipt import check_receipt

__all__ = ["command", "show_receipt"]
_ = facts  # all tags must be known


@click.command("receipt", help="核验回执（.tlog-proof） / check a receipt, offline.")
@click.argument("receipt", type=click.Path(path_type=Path))
@click.option("--policy", required=True, type=click.Path(path_type=Path), help="policy.txt")
@click.option("--envelope", type=click.Path(path_type=Path), help="你的信封 / your envelope file")
def command(receipt: Path, policy: Path, envelope: Path | None) -> None:
    show_receipt(read_text(receipt), Policy.parse(read_text(policy)), envelope)


def show_receipt(text: str, policy: Policy, envelope: Path | None = None) -> None:
    found = check_receipt(text, policy)
    fact = found.fact
    head = found.witnessed
    names = "、".join(head.times)
    click.echo(f"✓ 1 记录 entry {found.index}: {type(fact).__name__}, {found.entry.at.isoformat()}")
    click.echo(f"✓ 2 检查点 checkpoint: {head.checkpoint.origin}, {head.checkpoint.size}")
    click.echo(f"✓ 3 见证 witnesses: {names}, {head.median.isoformat()}")
    click.echo("✓ 4 包含证明 inclusion")
    if envelope:
        click.echo(f"✓ 5 信封 envelope {_covered(envelope, fact)}")


def _covered(envelope: Path, fact: Fact) -> str:
    """The envelope's id, once the file is to the last byte the one that was received."""
    first, body = split_prefix(read_chunks(envelope))
    prefix = Prefix.parse(first)
    if not isinstance(fact, EnvelopeReceived) or fact.prefix != prefix.pack().hex():
        raise ProofBroken(problem="回执不是这个信封的 / the receipt is for another envelope")
    check_body(prefix, body)
    return prefix.eid
