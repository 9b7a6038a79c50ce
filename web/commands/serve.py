"""`kaifeng serve`: a centre's node, on one box or on PostgreSQL with others."""

import sys
from functools import partial
from pathlib import Path

import click

from trading.kernel.errors import Refusal
from web.app import create_app, hot_ways
from web.centre import settings_here
from web.duties import Duties
from web.edge import Edge
from web.guard import check_not_older
from web.logs import set_up_logs
from web.node import Node
from web.options import DATABASE
from web.server import serve

_FATAL = 3


@click.command("serve", help="启动服务 / start the server.")
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("kaifeng-data"),
    show_default=True,
    help="数据与密钥目录 / keys, uploads and, without --database, the ledger",
)
@DATABASE
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65_535), default=8470, show_default=True)
@click.option("--name", default="one", show_default=True, help="本节点名称 / name of this node")
def command(data: Path, database: str, host: str, port: int, name: str) -> None:
    set_up_logs()
    settings = settings_here()
    if database:
        from web.migrate import migrate

        migrate(database)
    with Node(data, settings, database, name) as node:
        check_not_older(node)
        duties = Duties(node)
        duties.start()
        try:
            edge = Edge(create_app(node.ports), hot=hot_ways(node.ports))
            broken = serve(edge, host, port, partial(_tell, host), lambda: node.ledger.stopped)
        finally:
            duties.stop()
    if broken:
        text = broken if isinstance(broken, Refusal) else repr(broken)
        click.echo(f"✗ 账本已停止写入，进程退出 / the writer stopped: {text}", err=True)
        sys.exit(_FATAL)


def _tell(host: str, port: int) -> None:
    click.echo(f"✓ 开封已启动 serving on http://{host}:{port}  （接口说明 API: /docs）")
    sys.stdout.flush()
