"""What the documents promise is there."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.project import ROOT, files, relative

DECISIONS = sorted((ROOT / "docs/decisions").glob("[0-9]*.md"))
INVARIANTS = (ROOT / "docs/invariants.md").read_text(encoding="utf-8")
DOCUMENTS = [p for p in files(".md") if not relative(p).startswith("training/")]


def fenced(path: Path) -> list[str]:
    """The lines of a document's shell blocks."""
    blocks = re.findall(r"```sh\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)
    return [line.strip() for block in blocks for line in block.splitlines()]


def quoted(path: Path) -> list[str]:
    """What stands in a document's backticks and begins like a command."""
    inline = re.findall(r"(?<!`)`([^`]+)`(?!`)", path.read_text(encoding="utf-8"))
    return [text for text in inline if re.match(r"(?:[A-Z]+=\S+ )*(make|python|vizkv) [\w./]", text)]


def commands(path: Path) -> list[str]:
    """A document's commands, without comments and without variables set before them."""
    bare = [re.sub(r"\s+#.*", "", line) for line in fenced(path) + quoted(path)]
    return [re.sub(r"^(?:[A-Z]+=\S+ +)+", "", line) for line in bare if line and not line.startswith("#")]


COMMANDS = sorted({line for path in DOCUMENTS for line in commands(path)})


def test_the_readme_gives_the_two_commands():
    assert {"make app", "make test"} <= set(commands(ROOT / "README.md"))


@pytest.mark.parametrize("line", [c for c in COMMANDS if c.startswith("make")])
def test_every_make_target_that_a_document_names_exists(line):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    target = next(word for word in line.split()[1:] if "=" not in word)
    assert re.search(rf"^{re.escape(target)}:", makefile, re.MULTILINE)


@pytest.mark.parametrize("line", [c for c in COMMANDS if re.match(r"(\S*/)?python", c) and ".py" in c])
def test_every_script_that_a_document_names_exists(line):
    script = next(word for word in line.split() if word.endswith(".py"))
    assert (ROOT / script).is_file()


@pytest.mark.parametrize("line", sorted({" ".join(c.split()[:2]) for c in COMMANDS if re.match(r"vizkv \w", c)}))
def test_every_subcommand_that_a_document_names_exists(line):
    command = [sys.executable, "-m", *line.split(), "--help"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("path", [c.split()[2] for c in COMMANDS if re.match(r"vizkv run \S+\.toml", c)])
def test_every_scenario_that_a_document_runs_exists(path):
    assert (ROOT / path).is_file()


def test_the_readme_lists_every_example():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    names = {path.stem for path in (ROOT / "vizkv/scenario/presets").glob("*.toml")}
    assert {name for name in names if f"`{name}`" not in readme} == {"index"}


@pytest.mark.parametrize("path", DOCUMENTS, ids=relative)
def test_every_link_within_the_project_leads_somewhere(path):
    content = path.read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", content) + re.findall(r'(?:src|srcset)="([^"]+)"', content)
    missing = [link for link in links if "://" not in link and not (path.parent / link).exists()]
    assert not missing


@pytest.mark.parametrize("path", DOCUMENTS, ids=relative)
def test_every_file_of_the_project_that_a_document_names_exists(path):
    named = re.findall(
        r"`((?:vizkv|docs|tests|scripts|benchmarks|training|pages)/[\w./-]+)`", path.read_text(encoding="utf-8")
    )
    assert [name for name in named if not (ROOT / name).exists()] == []


# -- docs/invariants.md ---------------------------------------------------------------------------------------------


def entries() -> list[tuple[int, str, str]]:
    """(number, statement, rest) of each invariant."""
    parts = re.split(r"^### (\d+)\. (.+)$", INVARIANTS, flags=re.MULTILINE)
    return [(int(n), title, rest) for n, title, rest in zip(parts[1::3], parts[2::3], parts[3::3], strict=True)]


def test_invariants_are_numbered_in_order():
    assert [number for number, _, _ in entries()] == list(range(1, len(entries()) + 1))


@pytest.mark.parametrize(("number", "statement", "rest"), entries(), ids=[str(n) for n, _, _ in entries()])
def test_an_invariant_names_its_source_and_a_test_that_exists(number, statement, rest):
    assert re.search(r"^Source: .+", rest, re.MULTILINE), f"{number}. {statement} names no source"
    tests = re.findall(r"`(tests/[\w/.]+\.py)::(\w+)`", rest)
    assert tests, f"{number}. {statement} names no test"
    for file, name in tests:
        assert (ROOT / file).is_file(), f"{number}. {statement} names {file}, which does not exist"
        tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
        names = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
        assert name in names, f"{number}. {statement} names {name}, which {file} does not have"


# -- docs/decisions ---------------------------------------------------------------------------------------------------


def test_decisions_are_numbered_in_order_and_listed():
    assert [int(p.name[:4]) for p in DECISIONS] == list(range(1, len(DECISIONS) + 1))
    index = (ROOT / "docs/decisions/README.md").read_text(encoding="utf-8")
    assert [p.name for p in DECISIONS if f"({p.name})" not in index] == []


@pytest.mark.parametrize("path", DECISIONS, ids=lambda p: p.stem)
def test_a_decision_says_when_whether_it_holds_and_why(path):
    content = path.read_text(encoding="utf-8")
    assert re.search(r"^# \d+\. ", content)
    assert re.search(r"^Date: \d{4}-\d\d-\d\d$", content, re.MULTILINE)
    assert re.search(r"^Status: (accepted|replaced by \d{4})$", content, re.MULTILINE)
    assert re.search(r"^## Why$", content, re.MULTILINE)
