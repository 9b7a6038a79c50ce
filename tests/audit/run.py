"""`make audit`: what outside tools say of the code: bandit, secrets, TLS, mutants of comparisons.

Prints a table and ends with 1 if anything in it has failed. Arguments: names of checks for a part.
"""

import argparse
import ast
import difflib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
from audit.tls import SSLYZE, WEAKENED, scan, scanner, site
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[2]
PACKAGES = ("trading", "evaluation", "robots", "analytics", "web")
CONSOLE = Console()

# What bandit may say without being asked again: test, and why it is no finding here.
PARDONED = {
    "B404": "child processes are our own command; ruff's S603 watches how",
    "B603": "fixed arguments and no shell",
    "B107": "an empty default of a token is no password",
}
# Where text that looks like a secret is none.
NO_SECRETS = {
    "docs/data/": "published identifiers of real tenders",
    "tests/golden/": "digests and public keys of a made-up export",
    "tests/trading/": "test vectors of RFCs and c2sp",
    "web/assets.py": "digests of files that are fetched",
}
# Mutants that nothing can tell from the code, with the reason.
EQUIVALENT: dict[str, str] = {
    "ǁBatchǁ_check_place: "
    "- if not (request.commutes and barrier <= request.expected < actual): "
    "+ if not (request.commutes and barrier <= request.expected <= actual):": (
        "the height itself has been accepted two lines before"
    ),
}

MUTATED = ("trading/bidding.py", "trading/ledger/batch.py")
JUDGES = (
    "tests/trading",
    "tests/stories",
    "tests/faults/test_bad_envelopes.py",
    "tests/faults/test_writer.py",
    "tests/properties",
)
_LONGEST = 300  # seconds that the tests of one mutant may take: a mutant that hangs is found
_UNTOUCHED = shutil.ignore_patterns(".git", ".venv", "__pycache__", "kaifeng-*", "node_modules")


class Row(msgspec.Struct, frozen=True):
    """One line of the table; `failed` decides about the exit code."""

    check: str
    verdict: str  # ok, failed, skipped
    figure: str

    @property
    def failed(self) -> bool:
        return self.verdict == "failed"


def _run(
    *command: str, cwd: Path = ROOT, longest: float | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=cwd,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=longest,
        check=False,
    )


# -- bandit ----------------------------------------------------------------------------------------


def bandit() -> Iterator[Row]:
    command = ("-m", "bandit", "-q", "-r", *PACKAGES, "-f", "json")
    done = _run(sys.executable, *command)
    found = json.loads(done.stdout)
    lines = found["metrics"]["_totals"]["loc"]
    pardoned = Counter(item["test_id"] for item in found["results"])
    left = [item for item in found["results"] if item["test_id"] not in PARDONED]
    for item in left:
        place = f"{item['filename']}:{item['line_number']}"
        yield Row("bandit", "failed", f"{place} {item['test_id']} {item['issue_text']}")
    for test, reason in PARDONED.items():
        yield Row("bandit", "ok", f"{test}: {pardoned[test]} pardoned, {reason}")
    verdict = "failed" if left or found["errors"] else "ok"
    yield Row("bandit", verdict, f"{len(left)} findings in {lines} lines")


# -- secrets ---------------------------------------------------------------------------------------


def secrets() -> Iterator[Row]:
    """Over what git tracks."""
    files = _run("git", "ls-files").stdout.splitlines()
    done = _run(sys.executable, "-m", "detect_secrets", "scan", *files)
    found = json.loads(done.stdout)["results"]
    allowed: Counter[str] = Counter()
    fresh = 0
    for file, items in found.items():
        prefix = next((p for p in NO_SECRETS if file.startswith(p)), "")
        quiet = [item for item in items if prefix and "High Entropy" in item["type"]]
        allowed[prefix] += len(quiet)
        for item in items:
            if item not in quiet:
                fresh += 1
                yield Row("secrets", "failed", f"{file}:{item['line_number']} {item['type']}")
    for prefix, reason in NO_SECRETS.items():
        yield Row("secrets", "ok", f"{prefix}: {allowed[prefix]} allowed, {reason}")
    verdict = "failed" if fresh else "ok"
    yield Row("secrets", verdict, f"{fresh} findings in {len(files)} files")


# -- TLS -------------------------------------------------------------------------------------------


def tls() -> Iterator[Row]:
    """The node speaks plain HTTP; what ends TLS is its proxy, with the site file we deliver."""
    if not shutil.which("nginx"):
        yield Row("tls", "skipped", "no nginx here")
        return
    with tempfile.TemporaryDirectory(prefix="kaifeng-sslyze-") as folder:
        command = scanner(Path(folder))
        with site() as port:
            found = scan(command, port)
        with site(WEAKENED) as port:
            control = scan(command, port)
    for problem in found:
        yield Row("tls", "failed", f"deploy/nginx.conf: {problem}")
    if not any(problem.startswith("ciphers") for problem in control):
        yield Row("tls", "failed", f"a site with an old cipher is not told from ours: {control}")
    verdict = "failed" if found else "ok"
    yield Row(
        "tls", verdict, f"{SSLYZE}: {len(found)} deviations from Mozilla's intermediate profile"
    )


# -- mutants of comparisons ------------------------------------------------------------------------


class Mutant(msgspec.Struct, frozen=True):
    """`name` as mutmut calls it, `change` as a reader sees it."""

    name: str
    change: str


def mutants() -> Iterator[Row]:
    """Every comparison of the deadline, of admission and of a batch, one by one turned round."""
    with tempfile.TemporaryDirectory(prefix="kaifeng-mutants-") as folder:
        tree = Path(folder) / "tree"
        shutil.copytree(ROOT, tree, ignore=_UNTOUCHED)
        with (tree / "pyproject.toml").open("a") as settings:
            settings.write('\n[tool.mutmut]\nsource_paths = ["trading"]\n')
        found = [mutant for path in MUTATED for mutant in _mutated(tree, path)]
        if not _survives(tree, Mutant("", "")):
            yield Row("mutants", "failed", "the tests fail without any mutant")
            return
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            survived = list(pool.map(lambda mutant: _survives(tree, mutant), found))
    lived = [mutant for mutant, alive in zip(found, survived, strict=True) if alive]
    for mutant in lived:
        reason = EQUIVALENT.get(mutant.change, "")
        text = f"survived: {mutant.change}" + (f" ({reason})" if reason else "")
        yield Row("mutants", "ok" if reason else "failed", text)
    unexplained = [mutant for mutant in lived if mutant.change not in EQUIVALENT]
    verdict = "failed" if unexplained else "ok"
    yield Row("mutants", verdict, f"{len(found) - len(lived)} of {len(found)} found by the tests")


def _mutated(tree: Path, path: str) -> list[Mutant]:
    """Put the trampolined source in its place; the mutants whose comparisons differ."""
    script = (
        "import sys; from pathlib import Path; "
        "from mutmut.mutation.file_mutation import mutate_file_contents; "
        "path = Path(sys.argv[1]); "
        "path.write_text(mutate_file_contents(sys.argv[1], path.read_text()).code)"
    )
    done = _run(sys.executable, "-c", script, path, cwd=tree)
    if done.returncode:
        raise RuntimeError(done.stderr)
    module = path.removesuffix(".py").replace("/", ".")
    functions = {
        node.name: node
        for node in ast.walk(ast.parse((tree / path).read_text()))
        if isinstance(node, ast.FunctionDef)
    }
    found = []
    for name, function in functions.items():
        base, mutated, number = name.partition("__mutmut_")
        original = functions.get(f"{base}__mutmut_orig")
        if mutated and number != "orig" and original and _compares(function, original):
            found.append(Mutant(f"{module}.{name}", f"{base[1:]}: {_change(original, function)}"))
    return found


def _compares(function: ast.FunctionDef, original: ast.FunctionDef) -> bool:
    """Whether a comparison is another one."""
    return _comparisons(function) != _comparisons(original)


def _comparisons(function: ast.FunctionDef) -> Counter[type[ast.cmpop]]:
    compares = [node for node in ast.walk(function) if isinstance(node, ast.Compare)]
    return Counter(type(operator) for node in compares for operator in node.ops)


def _change(original: ast.FunctionDef, function: ast.FunctionDef) -> str:
    before, after = (
        ast.unparse(ast.Module(each.body, [])).splitlines() for each in (original, function)
    )
    lines = difflib.ndiff(before, after)
    return " ".join(line.strip() for line in lines if line[0] in "-+")


def _survives(tree: Path, mutant: Mutant) -> bool:
    """In a process of its own: a mutant may leave threads and locks behind."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:logging", *JUDGES]
    environment = {"MUTANT_UNDER_TEST": mutant.name, "PYTHONPATH": str(tree)}
    try:
        done = _run(*command, cwd=tree, longest=_LONGEST, **environment)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


CHECKS: dict[str, Callable[[], Iterator[Row]]] = {
    "bandit": bandit,
    "secrets": secrets,
    "tls": tls,
    "mutants": mutants,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checks", nargs="*", choices=[*CHECKS, []])
    wanted = parser.parse_args().checks or list(CHECKS)
    rows = [row for name in wanted for row in CHECKS[name]()]
    table = Table("check", "verdict", "figure")
    for row in rows:
        table.add_row(row.check, row.verdict, row.figure)
    CONSOLE.print(table)
    sys.exit(any(row.failed for row in rows))


if __name__ == "__main__":
    main()
