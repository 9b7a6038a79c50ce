"""本机状态: is it alive, is it ready, how is it doing; and the reference page of this interface."""

import html
import json
from pathlib import Path
from typing import Any

import prometheus_client
from litestar import Controller, Request, Response, get

from trading.kernel.errors import AccessDenied
from web import assets
from web.api.bodies import Here

__all__ = ["NodeController"]

_HERE = ("127.0.0.1", "::1")
_VIEWER = {
    "url": "/schema/openapi.json",
    "withDefaultFonts": False,
    "telemetry": False,
    "showDeveloperTools": "never",
    "hideClientButton": True,
    "agent": {"disabled": True},
    "mcp": {"disabled": True},
    "localization": {"locale": "zh-CN"},
}
_PAGE = """<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>开封 API</title></head><body>
<noscript>本页需要脚本；接口描述见 <a href="/schema/openapi.json">/schema/openapi.json</a> /
this page needs scripts; the description itself is linked here</noscript>
<script id="api-reference" data-configuration="{configuration}"></script>
<script src="/static/vendor/scalar.js" integrity="{integrity}"></script></body></html>"""
_ABSENT = """<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>开封 API</title>
<p>接口描述：<a href="/schema/openapi.json">/schema/openapi.json</a>（阅读器未安装：
<code>python -m web.assets</code> / the viewer is not installed）</p></html>"""
# What the viewer needs and no more: its own script, and styles it writes itself.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class NodeController(Controller):
    tags = ("本机 node",)

    @get("/healthz", name="healthz")
    async def healthz(self) -> dict[str, str]:
        """The process answers."""
        return {"status": "ok"}

    @get("/readyz", name="readyz", sync_to_thread=True)
    def readyz(self, ports: Here) -> Response[dict[str, Any]]:
        """Database, disk, clock and writer: 503 as long as one of them is not well."""
        found = ports.probe()
        body = {item.name: {"well": item.well, "figure": item.figure} for item in found}
        well = all(item.well for item in found)
        return Response(
            {"ready": well, "probes": body},
            status_code=200 if well else 503,
            headers={"Cache-Control": "no-store"},
        )

    @get("/metrics", name="metrics", sync_to_thread=True)
    def metrics(self, request: Request[Any, Any, Any]) -> Response[bytes]:
        """For Prometheus on this machine; what came through a proxy is refused."""
        asker = request.client.host if request.client else ""
        forwarded = {"forwarded", "x-forwarded-for"} & set(request.headers)
        if forwarded or asker not in _HERE:
            raise AccessDenied(party=asker, operation="metrics", roles="本机 this machine")
        text = prometheus_client.generate_latest()
        return Response(text, media_type=prometheus_client.CONTENT_TYPE_LATEST)

    @get("/docs", name="api_reference", media_type="text/html", include_in_schema=False)
    async def api_reference(self) -> Response[str]:
        page = _ABSENT
        if assets.VIEWER.exists():
            configuration = html.escape(json.dumps(_VIEWER), quote=True)
            page = _PAGE.format(configuration=configuration, integrity=assets.INTEGRITY)
        headers = {"Content-Security-Policy": _POLICY}
        return Response(page, media_type="text/html", headers=headers)

    @get("/static/vendor/scalar.js", name="viewer", include_in_schema=False, sync_to_thread=True)
    def viewer(self) -> Response[bytes]:
        path: Path = assets.VIEWER
        return Response(
            path.read_bytes() if path.exists() else b"",
            status_code=200 if path.exists() else 404,
            media_type="text/javascript",
            headers={"Cache-Control": "public, max-age=86400"},
        )
