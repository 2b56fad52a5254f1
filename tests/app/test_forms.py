"""A form shows what is open: in every run, whoever changed it, and in a browser that builds it late."""

import pytest

from tests.app.visitor import opened, rested
from vizkv.scenario.schema import from_dict, to_dict
from vizkv.ui import link, pages, widgets

FORMS = [name for name in pages.PAGES if name not in ("cost", "lecture")]
KINDS = ("selectbox", "select_slider", "slider", "number_input", "text_input", "text_area", "toggle", "radio",
         "multiselect", "button_group")  # fmt: skip


@pytest.fixture
def shown(monkeypatch):
    """key -> value, of all widgets that were made to show something."""
    found, shows = {}, widgets.shows

    def noted(key, value):
        found[key] = value
        return shows(key, value)

    monkeypatch.setattr(widgets, "shows", noted)
    return found


def drawn(app):
    """key -> widget."""
    return {one.key: one for where in (app.main, app.sidebar) for kind in KINDS for one in getattr(where, kind)}


def other(scenario, **changes):
    """A scenario with other numbers; ``block_size`` and ``multiple`` of its systems."""
    data = to_dict(scenario)
    systems = {name: changes.pop(name) for name in ("block_size", "watermark") if name in changes}
    for system in data["systems"]:
        if system["kind"] == "paged":
            system.pop("free_order", None)
            system |= systems
    if workload := changes.pop("workload", None):
        data["workload"] |= workload
    return from_dict(data | changes)


@pytest.mark.parametrize("page", FORMS)
def test_every_run_tells_the_browser_what_each_control_shows(page, shown):
    """A popover's widgets are built when it is opened: they show what the last run says, and that is not the lowest."""
    app = opened(page)
    shown.clear()
    rested(app)
    here = drawn(app)
    assert len(shown) > 2 and set(shown) <= set(here)
    for key, value in shown.items():
        assert here[key].proto.set_value, key
        assert here[key].value == value, key


WORKLOAD = {"rate": 7.5, "duration": 120.0, "warmup": 40.0}
CHANGED = [
    ("memory", {"slots": 8192, "max_model_len": 1024}, {"drawer-slots": 8192, "drawer-max_model_len": 1024}),
    ("memory", {"block_size": 32}, {"drawer-block_size": 32}),
    ("table", {"block_size": 8}, {"drawer-block_size": 8, "own-block_size": 8}),
    ("sharing", {"block_size": 8}, {"drawer-block_size": 8, "sharing-block_size": 8}),
    ("pressure", {"block_size": 8, "watermark": 0.1}, {"pressure-block_size": 8, "pressure-watermark": 0.1}),
    ("pressure", {"slots": 200}, {"pressure-slots": 200, "drawer-slots": 200}),
    ("whatif", {"workload": WORKLOAD, "seed": 9}, {f"whatif-workload-{k}": v for k, v in WORKLOAD.items()}),
    ("cache", {"workload": WORKLOAD, "seed": 9}, {f"cache-workload-{k}": v for k, v in WORKLOAD.items()}),
    ("cache", {"max_model_len": 4096}, {"cache-longest": 4096}),
    ("sweep", {"slots": 8192}, {"drawer-slots": 8192}),
]  # fmt: skip


@pytest.mark.parametrize(("page", "changes", "expected"), CHANGED)
def test_a_form_shows_what_was_changed_elsewhere(page, changes, expected):
    app = opened(page)
    state = app.session_state["vizkv"][page]
    state.scenario = other(state.scenario, **changes)
    rested(app)
    here = drawn(app)
    assert {key: here[key].value for key in expected} == expected


@pytest.mark.parametrize(("page", "key"), [("paper", "paper-choose"), ("sweep", "sweep-ready-made"),
                                           ("memory", "drawer-preset"), ("whatif", "whatif-preset"),
                                           ("sharing", "sharing-kind")])  # fmt: skip
def test_a_chooser_shows_the_example_that_was_opened_elsewhere(page, key):
    app = opened(page)
    state, last = app.session_state["vizkv"][page], list(link.presets(page).values())[-1]
    state.preset, state.scenario, state.view = last, last.scenario, None
    rested(app)
    assert drawn(app)[key].value == (last.id.removeprefix("sharing-") if page == "sharing" else last.id)


@pytest.mark.parametrize("page", ["whatif", "cache"])
def test_the_boxes_of_a_pool_show_the_link_that_was_taken(page):
    app = opened(page, **{"as": "llama-3-8b:h100-80gb:1:16bit"})
    key = f"{page}-hardware"
    rested(drawn(app)[f"{key}-card"].set_value("a100-40gb"))
    assert drawn(app)[f"{key}-card"].value == "a100-40gb"
    old = app.session_state["vizkv"][page]
    app.session_state["vizkv"][page] = link.Open(
        old.preset, old.scenario, page, more={"as": "opt-66b:a100-40gb:4:16bit"}
    )
    rested(app)
    here = drawn(app)
    assert [here[f"{key}-{box}"].value for box in ("model", "card", "cards", "kv")] == [
        "opt-66b",
        "a100-40gb",
        4,
        "16bit",
    ]


def test_a_refused_number_goes_back_to_what_is_open():
    app = opened("memory", preset="readers-question")
    rested(drawn(app)["drawer-slots"].set_value(3))
    assert app.warning and drawn(app)["drawer-slots"].value == app.session_state["vizkv"]["memory"].scenario.slots > 3
