"""House rules that no linter knows: sizes, names, floats, packages, the schema of every fact."""

import ast
import importlib
import json
import re
from collections.abc import Iterator
from importlib.metadata import distributions, packages_distributions
from pathlib import Path

import msgspec
import pytest

from trading import facts
from trading.ledger.fact import fact_types

ROOT = Path(__file__).parents[2]
PACKAGES = ("trading", "evaluation", "robots", "analytics", "web")
BANNED = {
    "utils",
    "helpers",
    "common",
    "manager",
    "handler",
    "base",
    "core",
    "misc",
    "data",
    "info",
}
GOLDEN = Path(__file__).parents[1] / "golden" / "facts.json"
_ = facts


def sources(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", sources(*PACKAGES), ids=name_of)
def test_files_have_at_most_400_lines_and_functions_fewer_than_40(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= 400
    long = [f.name for f in functions(path) if (f.end_lineno or 0) - f.lineno + 1 >= 40]
    assert long == []


@pytest.mark.parametrize("path", sources("tests"), ids=name_of)
def test_test_files_have_at_most_600_lines(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= 600


@pytest.mark.parametrize("path", sources(*PACKAGES), ids=name_of)
def test_modules_say_what_they_are(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text("utf-8"))), "a module docstring"


@pytest.mark.parametrize("path", sources(*PACKAGES), ids=name_of)
def test_no_module_or_class_has_a_name_that_says_nothing(path: Path) -> None:
    words = set(path.stem.lower().split("_"))
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ClassDef):
            words |= {part.lower() for part in re.findall("[A-Z][a-z]+", node.name)}
    assert words.isdisjoint(BANNED)


@pytest.mark.parametrize("path", sources("trading", "evaluation", "web"), ids=name_of)
def test_no_annotation_is_a_float(path: Path) -> None:
    """Money is whole fen, rates are Decimal; a float would round in silence."""
    tree = ast.parse(path.read_text("utf-8"))
    floats = [n.lineno for n in ast.walk(tree) if isinstance(n, ast.Name) and n.id == "float"]
    assert floats == []


def test_each_package_is_ours() -> None:
    """A foreign `web` in site-packages would shadow ours outside the repository."""
    for package in PACKAGES:
        module = importlib.import_module(package)
        assert Path(module.__file__ or "").parent == ROOT / package
    owners = packages_distributions()
    for package in PACKAGES:
        assert set(owners.get(package, ["kaifeng"])) <= {"kaifeng"}
    assert any(d.metadata["Name"] == "kaifeng" for d in distributions())


def schemas() -> dict[str, object]:
    return {
        tag: msgspec.json.schema(kind)
        for tag, kind in sorted(fact_types().items())
        if kind.__module__.startswith("trading.")
    }


def test_the_schema_of_every_fact_is_what_it_was() -> None:
    """Never reorder or delete a field; add at the end with a default, or make a new tag."""
    if not GOLDEN.exists():  # a release's golden file is made once, by hand
        pytest.fail(f"{GOLDEN.name} is missing")
    assert json.loads(GOLDEN.read_text()) == json.loads(json.dumps(schemas()))


def test_fact_tags_are_past_tense_and_versioned() -> None:
    for tag in schemas():
        assert re.fullmatch(r"[a-z-]+\.[a-z-]+/\d+", tag)


def glossary() -> str:
    return (ROOT / "docs" / "glossary.md").read_text("utf-8")


def test_every_word_of_the_trade_stands_in_the_glossary() -> None:
    from evaluation.methods import METHODS
    from trading.awards import AWARDS
    from trading.kernel import errors
    from trading.kernel.party import Role
    from trading.procedures import PROCEDURES
    from trading.tender import Phase

    words = [phase.value for phase in Phase] + [role.value for role in Role]
    words += list(schemas())
    words += [plugin.code for plugin in (*PROCEDURES, *METHODS, *AWARDS)]
    words += [getattr(errors, name).code for name in errors.__all__]
    text = glossary()
    assert [word for word in words if f"`{word}`" not in text] == []


def test_the_glossary_is_sorted_and_has_four_columns() -> None:
    rows = [line for line in glossary().splitlines() if line.startswith("| ")][1:]
    assert all(row.count("|") >= 5 for row in rows)


def test_every_dependency_has_its_line_of_reason() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = project["dependencies"] + project["optional-dependencies"]["dev"]
    names = [re.split(r"[>=<\[]", item)[0] for item in wanted]
    reasons = (ROOT / "docs" / "explanation" / "dependencies.md").read_text("utf-8")
    assert [name for name in names if f"`{name}`" not in reasons] == []


def test_refusal_codes_are_unique_and_both_texts_use_the_same_facts() -> None:
    from trading.kernel import errors

    kinds = [getattr(errors, name) for name in errors.__all__]
    codes = [kind.code for kind in kinds]
    assert len(codes) == len(set(codes))
    for kind in kinds:
        fields = [set(re.findall(r"{(\w+)}", text)) for text in (kind.zh, kind.en)]
        assert fields[0] == fields[1], kind.code


def test_nothing_names_a_registry_or_a_machine() -> None:
    """A committed file names no registry host and no path of the machine it was made on."""
    import subprocess

    pattern = "py[p]i[.]org|python[h]osted|registry[.]np[m]js|deb[.]d[e]bian|/[w]ork/|/[r]oot/"
    done = subprocess.run(
        ["git", "grep", "-nIE", pattern], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stdout == ""
