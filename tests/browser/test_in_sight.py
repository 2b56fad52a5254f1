"""What a step is about is in sight: rows of the tables that it finds, copies or takes, at each step of each example."""

import pytest

from tests.browser.test_player import ROOT, find
from vizkv.engine import engine
from vizkv.model import load_model
from vizkv.replay import walk
from vizkv.scenario.presets import list_presets
from vizkv.trace.events import Kind

EXAMPLES = [
    one.id
    for one in list_presets()
    if one.page in ("table", "sharing", "paper") and any(s.has_block_table for s in one.scenario.systems)
]
# go to a step; which rows of each table are seen whole, below the table's head
SEEN = """(root, step) => {
  const {player} = root.__vizkv;
  player.go(step - player.trace.first);
  player.paint();
  const whole = (box, element, head) => {
    const [at, around] = [element.getBoundingClientRect(), box.getBoundingClientRect()];
    return at.top >= around.top + head - 1 && at.bottom <= around.bottom + 1;
  };
  const boxes = [...root.querySelectorAll(".panel-table .panel-box")];
  const tables = boxes.map((box) => {
    const [caption, head, ...rows] = box.querySelectorAll("caption, thead, .entry-row");
    const covered = caption.offsetHeight + head.offsetHeight;
    const alone = boxes.length === 1 ? player.trace.requests[player.panels.followed()]?.id : ""; // it has no caption
    const name = caption.textContent || alone;
    return [name, rows.flatMap((row, i) => (whole(box, row, covered) ? [i] : []))];
  });
  return {tables, top: document.scrollingElement.scrollTop, focus: document.activeElement?.className ?? ""};
}"""


def run(name):
    scenario = next(one for one in list_presets() if one.id == name).scenario
    return engine.run(scenario, None if scenario.model == "none" else load_model(scenario.model))


def about(replay):
    """{sequence: rows of its table that the step is about}: those copied, else found or shared, else taken."""
    rows = {}
    for kind in (Kind.COPIED, Kind.SHARED, Kind.BLOCK):
        found = {}
        for event in replay.events:
            if event.kind == kind:
                found.setdefault(event.request, []).append(event.c if kind == Kind.COPIED else event.b)
        for who, these in found.items():
            rows.setdefault(who, sorted(these))
    return rows


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_rows_that_a_step_is_about_are_in_sight(visit, name):
    trace = run(name)
    page_name = next(one.page for one in list_presets() if one.id == name)
    page = visit(f"/{page_name}?preset={name}&step=0")
    root = page.locator(ROOT)
    index = find(page, "p.player.panels.system")
    looked = 0
    system = trace.systems[index]
    for replay in walk(system, trace.requests):
        seen = root.evaluate(SEEN, replay.step)
        tables = dict(seen["tables"])
        for who, rows in about(replay).items():
            name_of, live = trace.requests[who].id, replay.live.get(who)
            if name_of not in tables or live is None:
                continue
            shown = tables[name_of]
            assert rows[0] in shown, f"step {replay.step}, {name_of}: {rows}, seen {shown}"
            least = min(len(rows), len(shown))
            assert rows[:least] == [row for row in shown if row in rows][:least], f"step {replay.step}, {name_of}"
            looked += 1
        assert seen["top"] == 0 and "entry-row" not in seen["focus"]
    assert looked


@pytest.mark.parametrize(("address", "step", "rows"), [
    ("/paper?preset=paper-prefix-cache", 7, {"R2": [0, 1, 2]}),
    ("/sharing?preset=sharing-samples", 12, {"A1": [0, 4], "A2": [0, 4], "A3": [0, 4], "A4": [0, 4]}),
])  # fmt: skip
def test_hits_and_the_shared_row_are_in_sight_on_a_low_screen(visit, address, step, rows):
    page = visit(f"{address}&step={step}")
    tables = dict(page.locator(ROOT).evaluate(SEEN, step)["tables"])
    assert {name: [row for row in tables[name] if row in these] for name, these in rows.items()} == rows


def test_fast_play_follows_the_last_row_alone(visit):
    page = visit("/paper?preset=paper-prefix-cache&step=6")
    key = "p.player.panels.scene.calm"
    assert find(page, key) is True
    page.locator(f"{ROOT} .speed").select_option("25")
    assert find(page, f"(p.player.playing = true, p.player.panels.update(p.player.view), {key})") is False
