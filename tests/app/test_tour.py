"""The tour: each stop opens, and each page says what it shows."""

import pytest

from tests.app.visitor import opened
from vizkv.messages import messages
from vizkv.presets import list_presets
from vizkv.ui import tour
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
