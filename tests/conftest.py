"""Fixtures that every room of the suite shares; `centre` verifies its whole ledger at the end."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from bucket import bucket as bucket  # noqa: PLC0414  a fixture for every room
from centre import TestCentre
from database import postgres as postgres  # noqa: PLC0414  a fixture for every room
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared"

settings.register_profile(
    "ci", deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
)
settings.load_profile("ci")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that share what their module made stay on one worker; all others go where there is
    room (`--dist loadgroup`).
    """
    for item in items:
        definitions = item._fixtureinfo.name2fixturedefs.values()
        if any(found[-1].scope == "module" for found in definitions):
            item.add_marker(pytest.mark.xdist_group(item.path.name))


def shared(*parts: str) -> Path:
    """A file of the shared vectors or data; the test is skipped by name where it is absent."""
    path = SHARED.joinpath(*parts)
    if not path.exists() and "REQUIRE_SHARED" in os.environ:
        pytest.fail(f"shared/{'/'.join(parts)} is absent")
    if not path.exists():
        pytest.skip(f"shared/{'/'.join(parts)} is absent")
    return path


@pytest.fixture(name="shared")
def _shared() -> object:
    return shared


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[TestCentre]:
    made = TestCentre(tmp_path)
    yield made
    made.verify_everything()
    made.close()
