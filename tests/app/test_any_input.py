"""Whatever a link says, and whatever a browser sends: the page stays alive, and what is open is a view of its run."""

import itertools
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates
from streamlit.testing.v1 import AppTest

from tests.app.visitor import APP, opened
from tests.endurance import SECONDS, seeds
from vizkv.scenario.code import to_code
from vizkv.scenario.presets import list_presets
from vizkv.trace.slots import ACCOUNTINGS, CATEGORIES, LENSES
from vizkv.ui import pages
from vizkv.ui.frame import classroom
from vizkv.ui.lecture import ahead as lecture_ahead
from vizkv.ui.lecture import bar as lecture_bar
from vizkv.ui.session import WORDS as SESSION
from vizkv.ui.whatif import component as live
from vizkv.ui.whatif import knobs as whatif_knobs
from vizkv.views import view as views
from vizkv.views.charts.figure2 import over_time as figure2_chart

PAGES = [name for name in pages.PAGES if name != "lecture"]
LINKS, MESSAGES = 40, 30  # in a round: of links in all, of messages to each component
NUMBERS = ("--1", "--9", "-1", "-", "0", "1", "3", "00", "1.5", "1e5", "nan", "9" * 40, "\u0663", " 1", "1_0")
TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=30)  # an address has no half characters
PLAUSIBLE = st.sampled_from([
    *NUMBERS, *LENSES, *ACCOUNTINGS, *CATEGORIES, *views.COLOURS, "", "A", "B", "C", "0.0-5", "0.5-0", "9.0-0",
    "en", "zh", "projector", "0.1.0", "lecture", "block_size=16", "keep.rate=2,block_size=8", "rate=--1", "rate=",
    "0:3.5:used", "0:--1:used", "--1:0:", "9:nan:", "16,512", "8..4", "4..256*2", "1..9:0", "a,b", "block_size", "rate",
    "lengths", "/etc/passwd", "0:block_size=16", "slots=8192,block_size=16", "opt-13b:a100-40gb:1:16bit", "a:b:c:d",
    *(preset.id for preset in list_presets()),
    *(to_code(preset.scenario) for preset in list_presets()[:3]),
    to_code(list_presets()[0].scenario)[:-5], "1eNo",
])  # fmt: skip
FIELDS = [*views.FIELDS, "preset", "s", *SESSION, "token", *{field for entry in pages.PAGES.values()
                                                            for field in entry.fields}]  # fmt: skip
LINK = st.tuples(st.sampled_from(PAGES), st.dictionaries(st.sampled_from(FIELDS), PLAUSIBLE | TEXT, max_size=6))

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.just(10**400) | st.floats() | PLAUSIBLE
    | st.text(st.characters(exclude_categories=()), max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(PLAUSIBLE, inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
OTHERS = dict.fromkeys((*views.FIELDS[1:], "play", "command", "x"), JSON)
VIEW = st.fixed_dictionaries({"step": st.integers(-1, 9) | JSON}, optional=OTHERS)
LETTER = st.fixed_dictionaries(
    {"what": st.sampled_from(("turn", "stop", "seeds", "keep", "clear", "view", "pick",
                                                             "more", "settled", "go", "answer", "leave"))},
    optional={
        "name": st.sampled_from(whatif_knobs.NAMES) | JSON, "value": JSON, "lens": JSON, "accounting": JSON,
        "system": st.integers(-1, 4) | JSON, "second": st.floats(-1, 90) | JSON, "category": JSON,
        "by": st.sampled_from((1, -1)) | JSON, "beat": st.just(1) | JSON, "part": st.just(0) | JSON, "slot": JSON,
    },
)  # fmt: skip
# component -> (page, words of its link, the names under which it tells something, what)
COMPONENTS = {
    "player-memory": ("memory", {"preset": "figure-3"}, ("view",), VIEW),
    "player-table": ("table", {}, ("view",), VIEW),
    live.KEY: ("whatif", {}, ("letters",), st.lists(LETTER | JSON, max_size=3)),
    lecture_bar.KEY: ("memory", {"preset": "figure-3", "lecture": "lecture"}, ("letters",), st.lists(LETTER | JSON)),
    "vizkv-frame": ("memory", {"preset": "figure-3"}, ("asked", "claim", "type"),
                    st.fixed_dictionaries({}, optional={"px": JSON, "token": JSON, "opened": JSON})),
    "share-moment": ("memory", {"preset": "figure-3"}, ("now",), VIEW),
}  # fmt: skip
POINT = st.fixed_dictionaries({}, optional={"curve_number": JSON, "x": JSON, "customdata": JSON | st.lists(JSON)})
CHARTS = {"sweep-picture": "sweep", "cache-picture": "cache", "cache-table": "cache"}
SELECTED = st.lists(POINT, max_size=3).map(  # what the rest may be, Streamlit checks
    lambda points: {"selection": {"points": points, "point_indices": [], "box": [], "lasso": []}}
)


def repeated(check, strategy, examples, share):
    """Let hypothesis look for an input that the check does not stand; in new rounds while there is time."""
    chosen = settings(
        max_examples=examples, derandomize=False, database=None, deadline=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    for number in seeds(share):
        seed(number)(chosen(given(strategy)(check)))()


def alive(app):
    """The page has no exception, and its player shows what its run has."""
    assert not app.exception, app.exception
    for name, state in app.session_state["vizkv"].items():
        if state.view is not None:
            view, refused = views.parse(views.words(state.view, state.player.limits.requests), state.player.limits)
            assert not refused and view.step == state.view.step, (name, state.view, refused)
    return app


@pytest.fixture(autouse=True)
def nothing_ahead(monkeypatch):
    """No thread computes a whole lecture, and nobody is in a class of another test."""
    monkeypatch.setattr(lecture_ahead, "begin", lambda *_: None)


@pytest.mark.timeout(300 + 2 * SECONDS)
def test_any_link_opens_a_page():
    def check(link):
        page, words = link
        app = alive(opened(page, **words))
        if page in app.session_state["vizkv"]:
            assert not app.error

    repeated(check, LINK, LINKS, 0.4)


def whole(page, words):
    """The app at a page, with the bar of every page; see tests/app/test_lecture.py."""
    app = AppTest.from_string(Path(APP).read_text(encoding="utf-8"), default_timeout=60)
    app.query_params.update(words)
    app.run()
    return app if page == "memory" else app.switch_page(str(Path(APP).parent / f"pages/{page}.py")).run()


def send(app, key, **value):
    """A message of the browser about the widget of that key; passed over where it is not on the page."""
    state = app._session_state._state
    id_ = state._key_id_mapper.get_id_from_key(key)
    states = WidgetStates()
    if id_ is not None:
        states.widgets.append(WidgetState(id=id_, **value))
    app._run(states)
    return alive(app)


@pytest.mark.timeout(300 + 2 * SECONDS)
@pytest.mark.parametrize("key", COMPONENTS)
def test_any_message_of_a_component_leaves_the_page_alive(key):
    page, words, names, told = COMPONENTS[key]
    app = alive(whole(page, words))
    send(app, "bar-share", bool_value=True)
    assert app._session_state._state._key_id_mapper.get_id_from_key(key), "it is on the page"
    counted = itertools.count(1)

    def check(message):
        letters = message.get("letters") if isinstance(message, dict) else None
        for letter in letters if isinstance(letters, list) else ():
            if isinstance(letter, dict):
                letter.setdefault("n", next(counted))
        send(app, key, json_value=json.dumps(message))

    repeated(check, st.dictionaries(st.sampled_from(names), told | JSON, min_size=1) | JSON, MESSAGES, 0.08)


@pytest.mark.timeout(300 + 2 * SECONDS)
@pytest.mark.parametrize("key", CHARTS)
def test_any_selection_in_a_chart_leaves_the_page_alive(key):
    app = alive(whole(CHARTS[key], {}))

    def check(message):
        send(app, key, string_value=message)

    repeated(check, SELECTED.map(json.dumps), MESSAGES, 0.04)


@given(st.lists(POINT, max_size=3))
def test_any_point_of_the_ledger_over_time_is_a_moment_or_none(points):
    found = figure2_chart.clicked(points, 4)
    assert found is None or (0 <= found[0] < 4 and type(found[1]) is float)


@given(JSON, st.dictionaries(st.sampled_from(classroom._NUMBERS + classroom._TEXTS + ("page",)), JSON))
def test_any_message_of_a_lecturers_browser_is_a_view_or_none(said, parts):
    for message in (said, parts):
        view = classroom.view_of(message)
        assert view is None or all(type(view[name]) is int for name in classroom._NUMBERS)


@given(st.text(st.characters(exclude_categories=())))
def test_any_text_may_be_tried_as_a_token(token):
    assert not classroom.Class("name", "secret").is_lecturer(token)
