"""Names that want to be more than names: shown as they stand, and no request leaves for their host."""

from pathlib import Path

from playwright.sync_api import expect

from tests.app.hostile import MARKS
from vizkv.scenario.code import to_code
from vizkv.scenario.presets import preset
from vizkv.scenario.schema import from_dict, to_dict

DATA = Path(__file__).parents[1] / "data"
# elements that would fetch from a host of the names, lead to it, or run a script of theirs
ACTIVE = """() => [...document.querySelectorAll("*")]
  .filter((e) => e.onerror || ["src", "href"].some((name) => /(evil|host)\\.example/.test(e.getAttribute(name))))
  .map((e) => e.outerHTML.slice(0, 200))"""


def alive(page):
    assert page.evaluate(ACTIVE) == []
    assert page.evaluate("window.__xss === undefined")
    expect(page.get_by_test_id("stException")).to_have_count(0)


def test_names_of_a_scenario_are_read_as_they_stand_and_fetch_nothing(visit):
    data = to_dict(preset("external-fragmentation").scenario)
    for index, system in enumerate(data["systems"]):
        system["name"] = f"{MARKS[index]} {MARKS[index + 2]}"[:60]
    code = to_code(from_dict(data | {"name": f"{MARKS[0]} {MARKS[2]}"}))
    for page_name in ("", "table", "pressure", "whatif", "sweep", "cache"):
        page = visit(f"/{page_name}?s={code}&preset=![x](//evil.example/p.png)", player=page_name in ("", "pressure"))
        alive(page)
    page = visit(f"/?s={code}")
    expect(page.locator(".vizkv .name").first).to_have_text(f"{MARKS[0]} {MARKS[2]}"[:60])


def test_a_trace_and_a_script_fetch_nothing(visit):
    page = visit("/")
    page.locator("input[type=file]").set_input_files(DATA / "names_md.vizkv")
    page.get_by_text("This is a saved trace, opened from a file.").wait_for()
    alive(page)
    page = visit("/lecture", player=False)
    page.locator("input[type=file]").set_input_files(DATA / "script_md.toml")
    page.get_by_role("heading", name="<img src=x onerror=window.__xss=1>").wait_for()
    alive(page)
