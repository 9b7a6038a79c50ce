"""`kaifeng`: one command, each sub-command loaded only when it is called.

Exit codes: 0 done; 1 a refusal or a failed verification; 2 input that cannot be used.
"""

import importlib
import os
import sys

import click

from trading.kernel.errors import FileUnreadable, InputUnusable, Refusal, Usage

__all__ = ["main"]

_PIPE_CLOSED = 141
_COMMANDS = {
    "demo": "一个真实项目，从公告到合同 / one real tender, from notice to contract",
    "replay": "用公开数据重演真实项目 / replay real tenders from open data",
    "verify": "离线核验导出、数据目录或回执 / verify an export, a data folder or a receipt",
    "seal": "加密并密封一个文件夹 / pack and seal a folder",
    "receipt": "核验回执 / check a receipt",
    "export": "导出账本 / export a ledger",
    "tenders": "列出项目 / list the tenders of a data folder",
    "methods": "评标办法及参数 / evaluation methods and their parameters",
    "draw": "抽取：取出记录、重算结果 / draws: transcripts, and who was drawn",
    "bills": "清标：检查已标价工程量清单 / check priced bills of quantities",
    "paper": "出具文书 PDF / make a paper: report, records, contract",
    "archive": "归档一个项目 / archive one tender for years",
    "analytics": "围串标预警：训练、打分、评估 / warnings of collusion: train, score, evaluate",
    "flags": "OCDS 数据的风险红旗 / red flags of procurement data in OCDS",
    "rank": "按评标办法排序 / rank bids by a method, every number explained",
    "trustee": "受托人程序 / the trustee's program",
    "serve": "启动服务 / start the server",
    "migrate": "升级数据库结构 / bring a PostgreSQL database up to date",
    "backup": "在线备份 / back up a running centre",
    "restore": "恢复备份 / bring a back-up back",
    "submit": "上传、封存并取回执 / upload an envelope, seal it, keep the receipt",
    "cover": "制作掩护信封 / hide how many bids a tender has",
    "monitor": "从外部监测账本 / watch a ledger from outside",
    "witness": "见证人程序 / the witness's program",
}


class _Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command = importlib.import_module(f"web.commands.{cmd_name}").command
        if not isinstance(command, click.Command):
            raise TypeError(f"web.commands.{cmd_name}.command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """From the table: help needs no imports."""
        with formatter.section("命令 / commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.version_option(package_name="kaifeng", prog_name="kaifeng")
@click.group(cls=_Lazy, help="开封 Kaifeng: 到点才开封，处处可核验 / sealed until the deadline.")
def _group() -> None:
    pass


def main() -> None:
    try:
        _group.main(prog_name="kaifeng", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except click.Abort:
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # no complaint at exit
        sys.exit(_PIPE_CLOSED)
    except (OSError, UnicodeDecodeError) as error:
        problem = FileUnreadable(path=getattr(error, "filename", None) or "—", problem=error)
        click.echo(f"✗ {problem.code} {problem.text('zh')}\n  {problem.text('en')}", err=True)
        sys.exit(2)
    except Refusal as refusal:
        click.echo(f"✗ {refusal.code} {refusal.text('zh')}\n  {refusal.text('en')}", err=True)
        sys.exit(2 if isinstance(refusal, (Usage, InputUnusable)) else 1)


if __name__ == "__main__":
    main()
