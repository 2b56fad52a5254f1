"""Nobody is left out: axe-core finds nothing on any page, in either theme and language, nor on a phone."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scripts import lab
from vizkv.ui.pages import FIRST, PAGES

WITHOUT_PLAYER = ("cost", "sweep", "cache", "lecture")
FIND = """async () => (await axe.run(document, {resultTypes: ["violations"]})).violations.flatMap(
  (v) => v.nodes.map(
    (n) => `${v.id} (${v.impact}): ${n.target.join(" ")}: ${n.failureSummary}`.replaceAll("\\n", " ")))"""
LOOKS = {  # theme, language, size of the window, pages
    "light, English": ("light", "en", 1280, 720, tuple(PAGES)),
    "dark, Chinese": ("dark", "zh", 1280, 720, tuple(PAGES)),
    "a phone": ("light", "zh", 390, 844, ("memory", "sharing", "whatif", "lecture")),  # one of each kind
}


@pytest.fixture(scope="session")
def axe() -> str:
    """axe-core's text: of the file that AXE names, or as scripts/axe.sh fetches it."""
    if asked := os.environ.get("AXE"):
        return Path(asked).read_text(encoding="utf-8")
    place = Path(sys.prefix) / "axe"
    bash = shutil.which("bash")
    assert bash, "scripts/axe.sh needs bash"
    made = subprocess.run([bash, str(lab.ROOT / "scripts/axe.sh"), str(place)], capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    return (place / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")


def violations(page):
    """What is wrong with a page once all of it is there: fonts and charts come in, and Streamlit's words are mended."""
    for _ in range(20):
        page.wait_for_timeout(300)
        if not (found := page.evaluate(FIND)):
            break
    return found


@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_no_violation_on_any_page(visit, axe, look):
    theme, language, width, height, pages = LOOKS[look]
    found = []
    for name in pages:
        path = f"/{'' if name == FIRST else name}?lang={language}"
        page = visit(path, width=width, height=height, scheme=theme, player=name not in WITHOUT_PLAYER)
        page.evaluate(axe + "\n;undefined")
        found += [f"{name}: {one}" for one in violations(page)]
        page.close()
    assert not found, "\n".join(found)
