"""Running the `kaifeng` command as its users do: as a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def kaifeng_command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "web.cli", *map(str, arguments)]


def kaifeng(
    *arguments: object, timeout: float = 120, **settings: str
) -> subprocess.CompletedProcess[str]:
    command = kaifeng_command(*arguments)
    environment = os.environ | {"COLUMNS": "180"} | settings
    return subprocess.run(
        command,
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout,
    )
