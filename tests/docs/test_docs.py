"""The documents keep pace with the code: generated pages are fresh, README commands run."""

import re
import shlex
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "web"))

from commands import ROOT, kaifeng
from reference import DOCS, PAGES


@pytest.mark.parametrize("name", PAGES)
def test_generated_pages_are_fresh(name: str) -> None:
    assert (DOCS / name).read_text("utf-8") == PAGES[name]()


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md", "docs/tutorial/first-tender.md"])
def test_links_lead_somewhere(name: str) -> None:
    path = ROOT / name
    for target in re.findall(r"\]\(([^)#]+)\)", path.read_text("utf-8")):
        if not target.startswith("http"):
            assert (path.parent / target).exists(), target


def _commands(name: str) -> list[list[str]]:
    """The `kaifeng` lines of a page's console blocks, with continuation lines joined."""
    blocks = re.findall(r"```console\n(.*?)```", (ROOT / name).read_text("utf-8"), re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    wanted = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
    return [shlex.split(line, comments=True) for line in wanted]


def _placed(argument: str, folder: Path) -> str:
    """The page's folders, moved below the test's own."""
    for name, place in (("kaifeng-story", folder / "demo"), ("/tmp", folder)):
        if argument.startswith(name):
            return f"{place}{argument.removeprefix(name)}"
    return argument


def _break(folder: Path) -> None:
    """What the pages tell the reader to do by hand."""
    copy = shutil.copytree(folder / "demo" / "export", folder / "broken")
    lines = (copy / "entries.jsonl").read_text("utf-8").splitlines(keepends=True)
    lines[4] = lines[4].replace("a", "b", 1)
    (copy / "entries.jsonl").write_text("".join(lines), "utf-8")


@pytest.mark.parametrize("name", ["README.md", "docs/tutorial/first-tender.md"])
def test_commands_in_the_documents_run(name: str, tmp_path: Path) -> None:
    for wanted in _commands(name):
        if not wanted[0].endswith("kaifeng"):
            continue
        breaks = wanted[-1] == "/tmp/broken"
        if breaks:
            _break(tmp_path)
        done = kaifeng(*(_placed(argument, tmp_path) for argument in wanted[1:]))
        assert done.returncode == (1 if breaks else 0), done.stdout + done.stderr
        assert not breaks or "Entry 4" in done.stderr


def test_decisions_have_their_four_parts() -> None:
    pages = sorted((DOCS / "decisions").glob("0*.md"))
    assert len(pages) >= 8
    for page in pages:
        text = page.read_text("utf-8")
        for part in ("## Context", "## Decision", "## Consequences", "## Alternatives"):
            assert part in text, page.name
