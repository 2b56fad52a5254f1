"""What Streamlit does not document stands in vizkv/ui/streamlit/, and the installed Streamlit still has it.

When an upgrade takes a name away, the test that carries this name fails. See docs/decisions/0036-streamlit.md.
"""

from __future__ import annotations

import logging
import re
import tomllib
from functools import cache
from pathlib import Path

import pytest
import streamlit
from streamlit.runtime.pages_manager import PagesManager

from tests.house.project import ROOT, relative, text
from vizkv.ui.streamlit import server

FOLDER = ROOT / "vizkv/ui/streamlit"
DECISION = ROOT / "docs/decisions/0036-streamlit.md"
# modules of Streamlit, attributes of its page, and its state inside React, that its documentation does not name
UNDOCUMENTED = re.compile(
    r"data-testid|stApp\b|stMain\b|testScriptState|__reactFiber|data-baseweb|react-aria|st-emotion|_stcore"
    r"|streamlit\.(?:runtime|web|proto|elements|delta_generator|commands|navigation)\b"
)
TEST_ID = re.compile(r"""data-testid[\^*]?="?(\w+)""")
# names in the page or in its scripts that our scripts and style sheets lean on, besides the test ids
NAMES = (
    "data-test-script-state",
    "react-aria-ToggleButton",
    "react-aria-ComboBox",
    "data-variant",
    "segmented_control",
    "data-selected",
    "data-floating-ui-",  # the page puts "portal" behind it
    "data-collapsed",
    "dvn-scroller",  # the table's: glide-data-grid
    "gridSelection",
    "onHeaderMenuClick",
    "onHeaderClicked",
    "onGridSelectionChange",
    "onCellEdited",
    "__reactFiber$",
    "memoizedProps",
    "js-plotly-plot",  # the chart's: plotly.js, which Streamlit brings
    "nsewdrag",
    "bartext",
    "calcdata",
    "_fullLayout",
)
# what Streamlit puts a test id together from while it runs: the part that stands in its scripts
COMPOSED = {"stBaseButton": "stBaseButton-"}


@cache
def scripts() -> str:
    """All scripts that the installed Streamlit sends to a browser."""
    folder = Path(streamlit.__file__).parent / "static/static/js"
    return "\n".join(file.read_text(encoding="utf-8") for file in sorted(folder.glob("*.js")))


def ids() -> list[str]:
    """The test ids that vizkv/ui/streamlit/ asks for."""
    return sorted({name for file in FOLDER.iterdir() for name in TEST_ID.findall(text(file) or "")})


@pytest.mark.parametrize("name", ids())
def test_the_page_still_has_the_test_id(name):
    assert COMPOSED.get(name, name) in scripts()


@pytest.mark.parametrize("name", NAMES)
def test_the_page_still_has_the_name(name):
    assert name in scripts()


@pytest.mark.parametrize("name", NAMES)
def test_the_name_is_still_asked_for(name):
    written = name.removeprefix("data-")
    in_scripts = re.sub("-(.)", lambda match: match[1].upper(), written)  # an attribute's name in dataset
    assert any(written in source or in_scripts in source for source in map(text, FOLDER.iterdir()) if source)


def test_the_pages_folder_can_still_be_ignored():
    assert isinstance(PagesManager.uses_pages_directory, bool | None)


def test_the_logger_of_the_cache_warning_still_has_its_name():
    import streamlit.runtime.scriptrunner_utils.script_run_context  # noqa: F401

    assert server.CACHE_LOGGER in logging.root.manager.loggerDict


def test_nothing_undocumented_is_used_elsewhere():
    found = [
        f"{relative(file)}: {match[0]}"
        for top in ("vizkv", "pages")
        for file in sorted((ROOT / top).rglob("*"))
        if file.suffix in (".py", ".js", ".css", ".html") and FOLDER not in file.parents
        for match in UNDOCUMENTED.finditer(text(file) or "")
    ]
    assert not found


def test_the_decision_names_every_file_and_the_versions_that_were_tried():
    told = DECISION.read_text(encoding="utf-8")
    files = {file.name for file in FOLDER.iterdir() if file.is_file() and file.name != "__init__.py"}
    assert not {name for name in files if f"`{name}`" not in told}
    dependencies = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    (given,) = [one for one in dependencies if one.startswith("streamlit")]
    assert f"`{given}`" in told
