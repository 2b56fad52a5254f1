"""Rules for every file of the project."""

from __future__ import annotations

import ast
import re
import tomllib

from packaging.requirements import Requirement

from tests.house.project import ROOT, files, relative, text

# a folder at the root of somebody's disk; a lookbehind, because addresses have such folders too
MACHINE_PATH = re.compile(r"(?<![\w.~-])/(?:home|root|work|opt|Users)/\w+")
PASSED_OVER = re.compile(r"pytest\.(?:mark\.)?(?:skip|skipif|xfail|importorskip)\b")


def test_no_file_names_a_path_of_one_machine():
    wrong = [
        f"{relative(path)}: {hit.group()}"
        for path in files()
        if (content := text(path)) is not None
        for hit in MACHINE_PATH.finditer(content)
    ]
    assert not wrong, "\n".join(wrong)


def test_no_test_is_skipped_or_expected_to_fail():
    wrong = [relative(p) for p in files(".py") if p.parts[-1] != "test_files.py" and PASSED_OVER.search(text(p) or "")]
    assert not wrong


def test_every_pin_is_within_the_ranges_that_the_project_promises():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pins = dict(
        line.lower().replace("_", "-").split("==")
        for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    )
    asked = project["dependencies"] + [r for rs in project["optional-dependencies"].values() for r in rs]
    for text_of_one in asked:
        requirement = Requirement(text_of_one)
        if requirement.name == project["name"]:
            continue
        pin = pins[requirement.name.lower().replace("_", "-")]
        assert requirement.specifier.contains(pin), f"{text_of_one} is pinned to {pin}"


def test_sentences_on_a_page_come_from_the_catalogue():
    sentence = re.compile(r"^[^<{]*[A-Za-z]{2,} [A-Za-z]{2,} [A-Za-z]{2,}")
    wrong = []
    for path in files(".py"):
        if not relative(path).startswith(("app.py", "pages/", "vizkv/ui/")):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not ast.unparse(node.func).startswith("st."):
                continue
            for given in [*node.args, *(k.value for k in node.keywords)]:
                if isinstance(given, ast.Constant) and sentence.match(str(given.value)):
                    wrong.append(f"{relative(path)}:{node.lineno} {given.value!r}")
    assert not wrong, "\n".join(wrong)


def test_no_page_icon_is_fetched_from_the_network():
    """Streamlit loads a page icon that is given as ":material/...:" from a server in the internet."""
    wrong = [relative(p) for p in files(".py") if re.search(r"page_icon\s*=\s*[\"']:material", text(p) or "")]
    assert not wrong
