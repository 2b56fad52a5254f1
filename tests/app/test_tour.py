"""The tour: each stop opens, and each page says what it shows."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.app.visitor import APP, opened, rested
from vizkv.messages.catalogue import messages
from vizkv.scenario.presets import list_presets
from vizkv.ui.memory import tour
from vizkv.ui.pages import PAGES


def test_each_stop_is_a_page_with_one_of_its_own_examples_and_a_sentence():
    known = {(preset.page, preset.id) for preset in list_presets()}
    for number, (page, words) in enumerate(tour.STOPS, 1):
        assert page in PAGES and f"tour.{number}" in messages()
        assert "preset" not in words or (page, words["preset"]) in known
    assert f"tour.{len(tour.STOPS) + 1}" not in messages()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_page_but_the_lecture_says_what_it_shows_and_what_to_try(language):
    for name in PAGES:
        if name != "lecture":
            assert f"tour.page.{name}" in messages(language)


def test_a_page_says_what_it_shows_and_offers_the_tour():
    app = opened()
    assert messages()("tour.page.memory") in [text.value for text in app.markdown]
    assert app.button(key="tour-start").label == messages()("tour.start")


def test_each_stop_begins_at_the_top_of_the_page():
    # a copy of app.py: AppTest runs a page without it where a folder pages/ lies beside
    app = AppTest.from_string(Path(APP).read_text(encoding="utf-8"), default_timeout=60)
    app.session_state["vizkv.tour"] = 0
    scripts = []
    for stop in range(2):
        app.session_state["vizkv.tour"] = stop
        scripts += [one.proto.body for one in rested(app).get("html") if "vizkvPage?.toTop()" in one.proto.body]
    assert len(set(scripts)) == 2  # another text each: an equal script would not run again
