"""`kaifeng receipt`: check a bidder's receipt against a trust policy, offline."""

from pathlib import Path

import click

from trading import facts
from trading.envelope.layout import Prefix
from trading.facts.bidding import EnvelopeReceived
from trading.kernel.errors import FileUnreadable, ProofBroken
from trading.ledger.policy import Policy
from trading.ledger.receipt import check_receipt

__all__ = ["command", "show_receipt"]
_ = facts  # all tags must be known


@click.command("receipt", help="核验回执（.tlog-proof） / check a receipt, offline.")
@click.argument("receipt", type=click.Path(path_type=Path))
@click.option("--policy", required=True, type=click.Path(path_type=Path), help="policy.txt")
@click.option("--envelope", type=click.Path(path_type=Path), help="你的信封 / your envelope file")
def command(receipt: Path, policy: Path, envelope: Path | None) -> None:
    show_receipt(_text(receipt), Policy.parse(_text(policy)), envelope)


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
        prefix = Prefix.parse(envelope.read_bytes()[:418])
        if not isinstance(fact, EnvelopeReceived) or fact.prefix != prefix.pack().hex():
            raise ProofBroken(problem="回执不是这个信封的 / the receipt is for another envelope")
        click.echo(f"✓ 5 信封 envelope {prefix.eid}")


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FileUnreadable(path=path, problem=error) from error
