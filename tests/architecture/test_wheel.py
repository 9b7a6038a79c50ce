"""The wheel holds the five packages, their data and the restated tenders, and no tests."""

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_wheel_is_complete(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path]
    done = subprocess.run(
        [*map(str, command), str(ROOT)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    (wheel,) = tmp_path.glob("kaifeng-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names if ".dist-info" not in name}
    assert tops == {"trading", "evaluation", "robots", "analytics", "web"}
    for wanted in (
        "trading/kernel/holidays.toml",
        "web/data/real-tenders.json",
        "trading/procedures/open_tender.py",
        "evaluation/methods/lowest_reviewed_price.py",
    ):
        assert wanted in names
