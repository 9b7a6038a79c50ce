"""`kaifeng methods`: the evaluation methods, with the schema of what a tender sets for each."""

import click
import msgspec

from evaluation.methods import METHODS


@click.command("methods", help="评标办法及参数 / evaluation methods and their parameters (JSON).")
def command() -> None:
    listed = [
        {
            "code": method.code,
            "zh": method.zh,
            "en": method.en,
            "parameters": method.schema(),
            "drawn": method.drawn,
            "adjusts": method.adjusts,
            "is_ranked": method.is_ranked,
        }
        for method in METHODS
    ]
    click.echo(msgspec.json.format(msgspec.json.encode(listed), indent=2).decode())
