"""What the packages import is what a centre installs, whatever a developer has beside it."""

import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_IMPORTS = """
import importlib, pkgutil, sys

class Present:
    def __init__(self, finder):
        self._finder = finder

    def __getattr__(self, name):
        return getattr(self._finder, name)

    def find_spec(self, name, path=None, target=None):
        absent = name.partition(".")[0] in sys.argv[1:]
        return None if absent else self._finder.find_spec(name, path, target)

sys.meta_path[:] = [Present(finder) for finder in sys.meta_path]
for top in ("trading", "evaluation", "robots", "analytics", "web"):
    for module in pkgutil.walk_packages(importlib.import_module(top).__path__, f"{top}."):
        if not module.name.startswith(("web.migrations", "analytics.spark")):  # an extra of its own
            importlib.import_module(module.name)
"""


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def without(*dropped: str) -> subprocess.CompletedProcess[str]:
    """All our modules imported where nothing is installed but what is locked, less some."""
    lock = (ROOT / "locks" / "runtime.txt").read_text("utf-8")
    locked = {plain(name) for name in re.findall(r"^([A-Za-z0-9._-]+)==", lock, re.MULTILINE)}
    locked = locked - set(dropped) | {"kaifeng"}
    absent = [
        module
        for module, owners in packages_distributions().items()
        if not locked & set(map(plain, owners))
    ]
    command = [sys.executable, "-c", _IMPORTS, *absent]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_every_module_loads_with_what_is_locked_for_a_centre() -> None:
    done = without()
    assert done.returncode == 0, done.stderr[-400:]


def test_the_control_one_package_less_and_it_does_not() -> None:
    assert "No module named 'requests'" in without("requests").stderr


_ANALYSIS = ("scipy.stats", "scipy.sparse", "sklearn", "sknetwork", "duckdb", "alembic")
_SERVER = ("sqlalchemy", "litestar", "rich", "evaluation", "asn1crypto")


@pytest.mark.parametrize(("command", "slow"), [("serve", _ANALYSIS), ("verify", _SERVER)])
def test_a_command_starts_without_what_only_others_need(
    command: str, slow: tuple[str, ...]
) -> None:
    """After a failure bidders wait for a server: the libraries of statistics doubled its start and
    its memory. Who verifies needs nothing but trading and click.
    """
    code = f"import sys, web.commands.{command}; print([m for m in {slow} if m in sys.modules])"
    words = [sys.executable, "-c", code]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
